/** RGBA pixels: ImageData, or a picture of the pipeline. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** Draws pixels over the whole of a canvas, softly where it is larger. */
export function paint(canvas: HTMLCanvasElement, { width, height, data }: Pixels): void {
  const own = new OffscreenCanvas(width, height);
  own.getContext('2d')!.putImageData(new ImageData(data, width, height), 0, 0);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(own, 0, 0, canvas.width, canvas.height);
}

/** A picture's pixels at a size, cut to its shape and scaled. */
export function cover(picture: CanvasImageSource & { width: number; height: number }, width: number, height: number) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  // What is transparent would turn black.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  return context.getImageData(0, 0, width, height);
}
