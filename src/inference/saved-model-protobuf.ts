import protobuf from 'protobufjs';

type FieldRow = readonly [name: string, id: number, type: string, rule?: 'repeated' | 'map'];

/**
 * The part of TensorFlow's messages that a frozen SavedModel needs. Field numbers are those of TensorFlow's
 * `saved_model.proto`, `meta_graph.proto`, `graph.proto`, `node_def.proto`, `attr_value.proto`, `tensor.proto`
 * and `tensor_shape.proto`; names are those of protobuf's JSON mapping.
 */
const messages: Readonly<Record<string, readonly FieldRow[]>> = {
  SavedModel: [
    ['savedModelSchemaVersion', 1, 'int64'],
    ['metaGraphs', 2, 'MetaGraphDef', 'repeated'],
  ],
  MetaGraphDef: [
    ['metaInfoDef', 1, 'MetaInfoDef'],
    ['graphDef', 2, 'GraphDef'],
    ['signatureDef', 5, 'SignatureDef', 'map'],
  ],
  MetaInfoDef: [['tags', 4, 'string', 'repeated']],
  SignatureDef: [
    ['inputs', 1, 'TensorInfo', 'map'],
    ['outputs', 2, 'TensorInfo', 'map'],
    ['methodName', 3, 'string'],
  ],
  TensorInfo: [
    ['name', 1, 'string'],
    ['dtype', 2, 'DataType'],
    ['tensorShape', 3, 'TensorShapeProto'],
  ],
  GraphDef: [
    ['node', 1, 'NodeDef', 'repeated'],
    ['versions', 4, 'VersionDef'],
  ],
  VersionDef: [['producer', 1, 'int32']],
  NodeDef: [
    ['name', 1, 'string'],
    ['op', 2, 'string'],
    ['input', 3, 'string', 'repeated'],
    ['attr', 5, 'AttrValue', 'map'],
  ],
  AttrValue: [
    ['list', 1, 'ListValue'],
    ['s', 2, 'bytes'],
    ['i', 3, 'int64'],
    ['f', 4, 'float'],
    ['b', 5, 'bool'],
    ['type', 6, 'DataType'],
    ['shape', 7, 'TensorShapeProto'],
    ['tensor', 8, 'TensorProto'],
  ],
  ListValue: [
    ['s', 2, 'bytes', 'repeated'],
    ['i', 3, 'int64', 'repeated'],
  ],
  TensorShapeProto: [['dim', 2, 'Dim', 'repeated']],
  Dim: [['size', 1, 'int64']],
  TensorProto: [
    ['dtype', 1, 'DataType'],
    ['tensorShape', 2, 'TensorShapeProto'],
    ['tensorContent', 4, 'bytes'],
  ],
};

const savedModelType = buildTypes().lookupType('SavedModel');

/** Bytes of a `saved_model.pb`. `savedModel` in protobuf's JSON mapping; byte fields may be `Uint8Array`. */
export function encodeSavedModelMessage(savedModel: Record<string, unknown>): Uint8Array {
  return savedModelType.encode(savedModelType.fromObject(savedModel)).finish();
}

function buildTypes(): protobuf.Root {
  const root = new protobuf.Root();
  root.add(new protobuf.Enum('DataType', { DT_INVALID: 0, DT_FLOAT: 1, DT_INT32: 3, DT_UINT8: 4 }));
  for (const [messageName, fields] of Object.entries(messages)) {
    const message = new protobuf.Type(messageName);
    for (const [name, id, type, rule] of fields)
      message.add(
        rule === 'map'
          ? new protobuf.MapField(name, id, 'string', type)
          : // proto3: repeated numbers are packed.
            new protobuf.Field(
              name,
              id,
              type,
              rule,
              undefined,
              type === 'int64' ? { packed: true } : undefined,
            ),
      );
    root.add(message);
  }
  return root;
}
