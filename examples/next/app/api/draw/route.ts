/** Draws on the server: previews and the image as lines of JSON. */
export { draw as POST } from '@sd/example-shared';
