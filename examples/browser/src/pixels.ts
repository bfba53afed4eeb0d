/** RGBA pixels: ImageData, or an image from the pipeline. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** Draws pixels over a whole canvas, smoothed if it is larger. */
export function paint(canvas: HTMLCanvasElement, { width, height, data }: Pixels): void {
  const source = new OffscreenCanvas(width, height);
  source.getContext('2d')!.putImageData(new ImageData(data, width, height), 0, 0);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
}

/** Scales and crops an image to a size. */
export function cover(image: CanvasImageSource & { width: number; height: number }, width: number, height: number) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  const scale = Math.max(width / image.width, height / image.height);
  const [w, h] = [image.width * scale, image.height * scale];
  // Transparent pixels would turn black.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
  return context.getImageData(0, 0, width, height);
}
