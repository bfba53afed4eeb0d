/** ONNX graphs as base64. Written by test/make-backend-graphs.py. */
export const backendGraphs = {
  /** y = a + b, where a is float32 [n, 2] and b float32 [2]. */
  add: 'CAg6TwoOCgFhCgFiEgF5IgNBZGQSAFoUCgFhEg8KDQgBEgkKAxIBbgoCCAJaDwoBYhIKCggIARIECgIIAmIUCgF5Eg8KDQgBEgkKAxIBbgoCCAJCBAoAEBE=',
  /** The doubles of one input of each type, [n]: from `float32` to `float32_twice`, and so on. */
  twice:
    'CAg65gIKJgoHZmxvYXQzMgoHZmxvYXQzMhINZmxvYXQzMl90d2ljZSIDQWRkCiYKB2Zsb2F0MTYKB2Zsb2F0MTYSDWZsb2F0MTZfdHdpY2UiA0FkZAogCgVpbnQzMgoFaW50MzISC2ludDMyX3R3aWNlIgNBZGQKIAoFaW50NjQKBWludDY0EgtpbnQ2NF90d2ljZSIDQWRkEgBaFgoHZmxvYXQzMhILCgkIARIFCgMSAW5aFgoHZmxvYXQxNhILCgkIChIFCgMSAW5aFAoFaW50MzISCwoJCAYSBQoDEgFuWhQKBWludDY0EgsKCQgHEgUKAxIBbmIcCg1mbG9hdDMyX3R3aWNlEgsKCQgBEgUKAxIBbmIcCg1mbG9hdDE2X3R3aWNlEgsKCQgKEgUKAxIBbmIaCgtpbnQzMl90d2ljZRILCgkIBhIFCgMSAW5iGgoLaW50NjRfdHdpY2USCwoJCAcSBQoDEgFuQgQKABAR',
  /** y = the sum of x, float32 [n] to float32 []. */
  sum: 'CAg6RQoiCgF4EgF5IglSZWR1Y2VTdW0qDwoIa2VlcGRpbXMYAKABAhIAWhAKAXgSCwoJCAESBQoDEgFuYgsKAXkSBgoECAESAEIECgAQEQ==',
  /** y = x + v + w, all float32 [2]; v is at byte 73 of `first.bin`, w at byte 0 of `second/file.bin`. */
  weighted:
    'CAg6wwEKDgoBeAoBdhIBdCIDQWRkCg4KAXQKAXcSAXkiA0FkZBIAKjsIAhABQgF2ahUKCGxvY2F0aW9uEglmaXJzdC5iaW5qDAoGb2Zmc2V0EgI3M2oLCgZsZW5ndGgSAThwASpACAIQAUIBd2obCghsb2NhdGlvbhIPc2Vjb25kL2ZpbGUuYmluagsKBm9mZnNldBIBMGoLCgZsZW5ndGgSAThwAVoPCgF4EgoKCAgBEgQKAggCYg8KAXkSCgoICAESBAoCCAJCBAoAEBE=',
  /** A graph with an operator that there is not. */
  unknownOperator: 'CAg6PAoWCgF4EgF5Ig5Ob1N1Y2hPcGVyYXRvchIAWg8KAXgSCgoICAESBAoCCAJiDwoBeRIKCggIARIECgIIAkIECgAQEQ==',
};
