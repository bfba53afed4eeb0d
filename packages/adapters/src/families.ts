/** What the text is wide that the U-Nets of known families attend to. */
const families: Readonly<Record<number, string>> = {
  768: 'Stable Diffusion 1',
  1024: 'Stable Diffusion 2',
  1280: 'the SDXL refiner',
  2048: 'SDXL',
};

/** Whose text is so wide, for messages; undefined for no known family's. */
export function familyOfText(width: number): string | undefined {
  return families[width];
}
