import type { Diffusion } from '@sd/react';
import { useEffect, useRef } from 'react';

/** An image or a preview, on a canvas. */
export function Picture({ image, label }: { image: Diffusion['preview']; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (image === undefined || canvas.current === null) return;
    canvas.current.width = image.width;
    canvas.current.height = image.height;
    canvas.current.getContext('2d')?.putImageData(new ImageData(image.data, image.width, image.height), 0, 0);
  }, [image]);
  return <canvas ref={canvas} role="img" aria-label={label} style={{ width: 256 }} />;
}
