// Python: g = make_graph([make_node('Identity', ['x'], ['y'])], '', [x], [y]), both float32 [1]; opset 17, IR version 8.
const identity = 'CAg6NgoQCgF4EgF5IghJZGVudGl0eRIAWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEQ==';

/** The smallest graph that a session can be made of. */
export const probeGraph = (): Uint8Array => new Uint8Array(Buffer.from(identity, 'base64'));
