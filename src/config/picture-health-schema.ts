import { z } from 'zod';

const seconds = (fallback: number, most: number) => z.number().positive().max(most).default(fallback);

export const pictureHealthSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Tell when pictures are frozen, black, overexposed, covered, …. Default true.'),
  blindSeconds: seconds(3, 600).describe(
    'Until a black, overexposed or covered picture is told, seconds. Default 3.',
  ),
  frozenSeconds: seconds(10, 3600).describe(
    'A picture that stands still for this long is frozen, seconds; longer where a camera’s stream has longer pauses of itself. Default 10.',
  ),
  sceneSeconds: seconds(10, 600).describe(
    'Until a picture out of focus or a moved camera is told, seconds. Default 10.',
  ),
  movedAcceptMinutes: seconds(30, 10_080).describe(
    'After this time the new scene of a moved camera is its usual one, minutes. Default 30.',
  ),
  clockSkewSeconds: seconds(5, 86_400).describe(
    'A camera’s clock may be this far off, seconds, where its stream tells the time. Default 5.',
  ),
});
