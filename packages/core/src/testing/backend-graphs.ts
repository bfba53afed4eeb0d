/** ONNX graphs in base64, written by test/make-backend-graphs.py. */
export const backendGraphs = {
  /** y = a + b, where a is float32 [n, 2] and b float32 [2]. */
  add: 'CAg6TwoOCgFhCgFiEgF5IgNBZGQSAFoUCgFhEg8KDQgBEgkKAxIBbgoCCAJaDwoBYhIKCggIARIECgIIAmIUCgF5Eg8KDQgBEgkKAxIBbgoCCAJCBAoAEBE=',
  /** Doubles an input [n] of each type: `float32` to `float32_twice`, and so on. float16 is passed through to `float16_same`, since not every device computes with it. */
  twice:
    'CAg64AIKJgoHZmxvYXQzMgoHZmxvYXQzMhINZmxvYXQzMl90d2ljZSIDQWRkCiAKBWludDMyCgVpbnQzMhILaW50MzJfdHdpY2UiA0FkZAogCgVpbnQ2NAoFaW50NjQSC2ludDY0X3R3aWNlIgNBZGQKIQoHZmxvYXQxNhIMZmxvYXQxNl9zYW1lIghJZGVudGl0eRIAWhYKB2Zsb2F0MzISCwoJCAESBQoDEgFuWhYKB2Zsb2F0MTYSCwoJCAoSBQoDEgFuWhQKBWludDMyEgsKCQgGEgUKAxIBbloUCgVpbnQ2NBILCgkIBxIFCgMSAW5iHAoNZmxvYXQzMl90d2ljZRILCgkIARIFCgMSAW5iGwoMZmxvYXQxNl9zYW1lEgsKCQgKEgUKAxIBbmIaCgtpbnQzMl90d2ljZRILCgkIBhIFCgMSAW5iGgoLaW50NjRfdHdpY2USCwoJCAcSBQoDEgFuQgQKABAR',
  /** y = the sum of x, float32 [n] to float32 []. */
  sum: 'CAg6RQoiCgF4EgF5IglSZWR1Y2VTdW0qDwoIa2VlcGRpbXMYAKABAhIAWhAKAXgSCwoJCAESBQoDEgFuYgsKAXkSBgoECAESAEIECgAQEQ==',
  /** y = x + v + w, all float32 [2]; v is at byte 73 of `first.bin`, w at byte 0 of `second/file.bin`. */
  weighted:
    'CAg6wwEKDgoBeAoBdhIBdCIDQWRkCg4KAXQKAXcSAXkiA0FkZBIAKjsIAhABQgF2ahUKCGxvY2F0aW9uEglmaXJzdC5iaW5qDAoGb2Zmc2V0EgI3M2oLCgZsZW5ndGgSAThwASpACAIQAUIBd2obCghsb2NhdGlvbhIPc2Vjb25kL2ZpbGUuYmluagsKBm9mZnNldBIBMGoLCgZsZW5ndGgSAThwAVoPCgF4EgoKCAgBEgQKAggCYg8KAXkSCgoICAESBAoCCAJCBAoAEBE=',
  /** A graph with an operator that does not exist. */
  unknownOperator: 'CAg6PAoWCgF4EgF5Ig5Ob1N1Y2hPcGVyYXRvchIAWg8KAXgSCgoICAESBAoCCAJiDwoBeRIKCggIARIECgIIAkIECgAQEQ==',
};
