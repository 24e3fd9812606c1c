/** A wheel on PyPI, pinned. */
export interface PinnedWheel {
  /** Name of the project on PyPI. */
  readonly project: string;
  readonly version: string;
  /** The file's name; it says for which Python, of which nothing is used: only C libraries are taken out. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export type TensorFlowVariant = 'cpu' | 'cuda';

/** One TensorFlow as the native binding of TensorFlow.js is built against it. */
export interface TensorFlowRelease {
  /** Of the C library. */
  readonly version: string;
  readonly variant: TensorFlowVariant;
  readonly wheels: readonly PinnedWheel[];
  /** What is unpacked from them, rounded up, bytes. */
  readonly unpackedBytes: number;
}

/** The npm package whose binding is built, and its archive on the npm registry. */
export const BINDING_PACKAGE = {
  name: '@tensorflow/tfjs-node-gpu',
  version: '4.22.0',
  /** As in package-lock.json. */
  integrity:
    'sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==',
} as const;

/** Of Node-API: the newest that the package asks for. Node 20 and later have 9. */
export const NAPI_VERSION = 8;

const MANYLINUX = 'manylinux_2_27_x86_64';

const CPU: TensorFlowRelease = {
  version: '2.21.0',
  variant: 'cpu',
  unpackedBytes: 900e6,
  wheels: [
    wheel(
      'tensorflow-cpu',
      '2.21.0',
      `cp311-cp311-${MANYLINUX}`,
      273829956,
      '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    ),
  ],
};

/*
 * TensorFlow 2.21 is built with CUDA 12.5 and cuDNN 9.3; its extra `and-cuda` allows these and every later one of the
 * same major version. Those of CUDA 12.9, the last of its line, which want a driver of at least 525.60.
 */
const CUDA: TensorFlowRelease = {
  version: '2.21.0',
  variant: 'cuda',
  unpackedBytes: 5.6e9,
  wheels: [
    wheel(
      'tensorflow',
      '2.21.0',
      `cp311-cp311-${MANYLINUX}`,
      572440367,
      '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    ),
    nvidia(
      'cublas',
      '12.9.3.13',
      MANYLINUX,
      581217458,
      'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    ),
    nvidia(
      'cuda-cupti',
      '12.9.79',
      'manylinux_2_25_x86_64',
      10814997,
      '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f',
    ),
    nvidia(
      'cuda-nvcc',
      '12.9.86',
      'manylinux2010_x86_64.manylinux_2_12_x86_64',
      40546229,
      '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    ),
    nvidia(
      'cuda-nvrtc',
      '12.9.86',
      'manylinux2010_x86_64.manylinux_2_12_x86_64',
      89568129,
      '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    ),
    nvidia(
      'cuda-runtime',
      '12.9.79',
      'manylinux2014_x86_64.manylinux_2_17_x86_64',
      3493179,
      '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    ),
    nvidia(
      'cudnn',
      '9.28.0.42',
      MANYLINUX,
      716538495,
      '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    ),
    nvidia(
      'cufft',
      '11.4.1.4',
      'manylinux2014_x86_64.manylinux_2_17_x86_64',
      200877592,
      'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    ),
    nvidia(
      'curand',
      '10.3.10.19',
      MANYLINUX,
      68295626,
      '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
    ),
    nvidia(
      'cusolver',
      '11.7.5.82',
      MANYLINUX,
      338117415,
      '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    ),
    nvidia(
      'cusparse',
      '12.5.10.65',
      'manylinux2014_x86_64.manylinux_2_17_x86_64',
      366465088,
      '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    ),
    nvidia(
      'nccl',
      '2.32.3',
      MANYLINUX,
      351526311,
      'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
    ),
    nvidia(
      'nvjitlink',
      '12.9.86',
      'manylinux2010_x86_64.manylinux_2_12_x86_64',
      39748338,
      'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    ),
  ],
};

export const TENSORFLOW_RELEASES: Readonly<Record<TensorFlowVariant, TensorFlowRelease>> = {
  cpu: CPU,
  cuda: CUDA,
};

function wheel(
  project: string,
  version: string,
  tag: string,
  sizeBytes: number,
  sha256: string,
): PinnedWheel {
  const file = `${project.replaceAll('-', '_')}-${version}-${tag}.whl`;
  return { project, version, file, sizeBytes, sha256 };
}

function nvidia(
  library: string,
  version: string,
  platform: string,
  sizeBytes: number,
  sha256: string,
): PinnedWheel {
  return wheel(`nvidia-${library}-cu12`, version, `py3-none-${platform}`, sizeBytes, sha256);
}
