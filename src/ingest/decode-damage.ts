/** Pixels of a macroblock's side: H.264 and MPEG-4 count what they conceal in these. */
const MACROBLOCK_PX = 16;
const CONCEALED = /\bconcealing (\d+) DC, \d+ AC, \d+ MV errors\b/;
/** H.265 says nothing of how much; without its reference all of a picture is made up. */
const NO_REFERENCE = /\bCould not find ref with POC\b/;

/**
 * Share of a picture, 0–1, that ffmpeg had to make up because its data was lost or broken, from a line of its stderr (worded
 * alike from 2018 to 5.1); `null` for lines that do not tell of that.
 */
export function damageOf(
  line: string,
  size: { readonly width: number; readonly height: number },
): number | null {
  const blocks = CONCEALED.exec(line)?.[1];
  if (blocks === undefined) return NO_REFERENCE.test(line) ? 1 : null;
  const all = Math.ceil(size.width / MACROBLOCK_PX) * Math.ceil(size.height / MACROBLOCK_PX);
  return Math.min(1, Number(blocks) / Math.max(1, all));
}
