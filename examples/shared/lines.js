/**
 * The lines of JSON in a response, as they arrive.
 * @param {Response} response
 */
export async function* lines(response) {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const complete = (text + value).split('\n');
      text = complete.pop() ?? '';
      for (const line of complete) if (line !== '') yield JSON.parse(line);
    }
  } finally {
    await reader.cancel();
  }
}
