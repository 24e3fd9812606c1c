/** Text of the two model cards. The figures in them were measured once, as the cards say. */
export interface WeightSource {
  readonly file: string;
  readonly sha256: string;
}

export function yunetCard({ file, sha256 }: WeightSource): string {
  return `# yunet-n

YuNet-n finds faces and five landmarks of each; 75 856 parameters.

| | |
|---|---|
| task | face detection |
| origin | [ShiqiYu/libfacedetection.train](https://github.com/ShiqiYu/libfacedetection.train) at \`0047ac24\`, \`${file}\`, sha256 \`${sha256}\` |
| licence | Apache-2.0 |
| trained on | WIDER FACE, by its authors; nothing was trained here |
| paper | W. Wu, H. Peng, S. Yu: YuNet: A Tiny Millisecond-level Face Detector. Machine Intelligence Research 20, 2023 |

## Input and outputs
Input \`pixels\`: uint8, batch × height × width × 3, RGB; any height and width that are multiples of 32.

For each stride s of 8, 16 and 32, four outputs of batch × height/s × width/s × channels, float32. The cell in row r and column c stands for the input pixels from (c·s, r·s) on.

| output | channels | meaning |
|---|---|---|
| \`cls_s\`, \`obj_s\` | 1 | in [0, 1]; the score of a face is √(cls · obj) |
| \`bbox_s\` | 4 | x, y of the centre from the cell's corner and the logarithms of width and height, all in strides: centre = (c + b₀, r + b₁)·s, size = (exp b₂, exp b₃)·s |
| \`kps_s\` | 10 | x, y of right eye, left eye, nose, right and left corner of the mouth (the person's right): (c + k₂ᵢ, r + k₂ᵢ₊₁)·s |

Overlapping boxes are not suppressed in the graph.

## What was changed
- Input of bytes in rows instead of BGR floats in planes: the cast is in the graph, the first kernel's channels are reordered.
- The outputs keep rows and columns apart (the original gives batch × cells × channels); the numbers and their order are the same.
- The four branches of each head are computed by one pair of convolutions and taken apart afterwards.
- A TensorFlow.js graph model beside the ONNX file, from the same description of the network. Weights are float32 in both.

\`\`\`
npx tsx scripts/import-weights.ts DATA_FOLDER
\`\`\`
makes this folder again from \`DATA_FOLDER/weights/${file}\`.

## Measured
November 2026, onnxruntime-node 1.30, tfjs 4.22, one thread of an AMD EPYC (AVX-512), Node 20.20.

- Largest difference of any output from the original's on 100 photographs at 640 × 384 and 512 × 512: 3.0 · 10⁻⁶. TensorFlow.js (WebAssembly) against ONNX Runtime on 30 of them: 9.1 · 10⁻⁶.
- Fastest of 60 runs taking turns, little else running (\`npx tsx scripts/measure-models.ts yunet_n_dynamic.onnx\` times them again; two busy cores give two to five times as much):

| one picture | original, ONNX Runtime | this one, ONNX Runtime | this one, TensorFlow.js wasm |
|---|---|---|---|
| 640 × 384 | 4.3 ms | 4.0 ms | 32 ms |
| 320 × 192 | 1.07 ms | 0.95 ms | not taken |

## Limits
On 579 scenes at 640 px and score 0.5 it found 94 % of masked, 98 % of bare and 98 % of wrongly masked labelled faces of 16 px and more (measured before this conversion, with the original file).
`;
}

export function imagenetCard({ file, sha256 }: WeightSource): string {
  return `# imagenet-mobilenetv2

MobileNetV2 1.0 trained on ImageNet, without its classifier: 52 convolutions, 2.2 million parameters. Every \`maskwatch train\` starts from it.

| | |
|---|---|
| task | features of a picture |
| origin | [google-coral/test_data](https://github.com/google-coral/test_data), \`${file}\`, sha256 \`${sha256}\` |
| licence | Apache-2.0 |
| trained on | ImageNet (ILSVRC 2012), by its authors, with quantisation in mind; nothing was trained here |
| paper | M. Sandler et al.: MobileNetV2: Inverted Residuals and Linear Bottlenecks. CVPR 2018 |

## Input and output
Input \`pixels\`: uint8, batch × height × width × 3, RGB; any height and width that are multiples of 32 (trained at 224 × 224). Scaled to [-1, 1] in the graph. TensorFlow's SAME padding, batch norms folded into the convolutions.

Output \`features\`: batch × 1280, the averages of the last convolution over the picture, each in [0, 6]. Features of any block: \`mobileNetV2({ weights: await readBackboneWeights(modelDir), sizePx, at: 'block_12' })\` in \`src/training/export/mobilenet-v2.ts\`.

## What was changed
The quantised weights were brought to float32 and are stored as they were quantised, one byte each, with scale and minimum (depthwise kernels, biases and other small tensors as float32). Both engines expand them once, at load.

\`\`\`
npx tsx scripts/import-weights.ts DATA_FOLDER
\`\`\`
makes this folder again from \`DATA_FOLDER/weights/mobilenet_v2_1.0_224_imagenet.weights.{json,bin}\`.

## Measured
November 2026, onnxruntime-node 1.30, tfjs 4.22, one thread of an AMD EPYC (AVX-512), Node 20.20.

- Stored weights against the float32 ones: largest error 1.1 · 10⁻⁷ of the largest weight of a tensor, so nothing is lost.
- TensorFlow.js (WebAssembly) against ONNX Runtime on 18 photographs at 224 × 224: largest difference of a feature 1.7 · 10⁻⁴.
- With the original's last layer put on top, the first three labels of those photographs (people, faces, masks) are sensible: gasmask, ski mask, lab coat, Windsor tie, sunglasses.
- Fastest of 30 runs of one picture, little else running (\`npx tsx scripts/measure-models.ts\` times them again):

| side | ONNX Runtime | TensorFlow.js wasm |
|---|---|---|
| 224 | 3.3 ms | 19 ms |
| 160 | 1.9 ms | 9.5 ms |
| 128 | 1.2 ms | 6.3 ms |
| 96 | 0.7 ms | 4.0 ms |
`;
}
