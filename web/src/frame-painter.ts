import type { FacePayload } from '../../src/publish/events';
import type { MatchedFrame } from './frame-matcher';
import { faceWords, OUTCOME_COLOURS } from './words';

/** What each canvas shows. */
const shown = new WeakMap<HTMLCanvasElement, { epoch: number; frameId: number }>();

/**
 * Draws a matched frame: the picture, then the boxes of that very frame. The canvas takes the size it has on
 * the screen in device pixels, so lines and letters stay sharp however small the analysed picture is.
 */
export async function paintFrame(canvas: HTMLCanvasElement, frame: MatchedFrame): Promise<void> {
  const picture = await createImageBitmap(new Blob([frame.picture.jpeg as BlobPart], { type: 'image/jpeg' }));
  // Decoding runs in the background: a newer frame may have been drawn meanwhile.
  const { epoch } = frame;
  const { frameId } = frame.detections;
  const last = shown.get(canvas);
  if (last && (last.epoch > epoch || (last.epoch === epoch && last.frameId > frameId))) {
    picture.close();
    return;
  }
  shown.set(canvas, { epoch, frameId });
  const density = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * density));
  const height = Math.max(1, Math.round(canvas.clientHeight * density));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  if (!context) return;
  const { width: sourceWidth, height: sourceHeight } = frame.detections;
  // The whole frame is shown, never cut: beside it stays black when the camera is not 16:9.
  const scale = Math.min(width / sourceWidth, height / sourceHeight);
  const left = (width - sourceWidth * scale) / 2;
  const top = (height - sourceHeight * scale) / 2;
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, left, top, sourceWidth * scale, sourceHeight * scale);
  picture.close();
  for (const face of frame.detections.faces) drawFace(context, face, scale, left, top, density);
  // For tests, and for whoever looks into the page.
  canvas.dataset.frameId = String(frameId);
  canvas.dataset.faces = JSON.stringify(frame.detections.faces.map(({ box, outcome }) => ({ box, outcome })));
}

function drawFace(
  context: CanvasRenderingContext2D,
  face: FacePayload,
  scale: number,
  left: number,
  top: number,
  density: number,
): void {
  const x = left + face.box.x * scale;
  const y = top + face.box.y * scale;
  const width = face.box.width * scale;
  const height = face.box.height * scale;
  const colour = OUTCOME_COLOURS[face.outcome];
  const isViolation = face.outcome === 'without_mask' || face.outcome === 'mask_worn_incorrectly';
  context.lineWidth = (isViolation ? 3 : 2) * density;
  context.strokeStyle = colour;
  // Not assessable is dashed: told apart without colour.
  context.setLineDash(face.outcome === 'not_assessable' ? [5 * density, 4 * density] : []);
  context.strokeRect(x, y, width, height);
  context.setLineDash([]);

  // A long label beside a small face would hide the faces next to it.
  const isSmall = width < 56 * density;
  const words = isSmall ? (faceWords(face).split(/ \d/)[0] ?? '') : faceWords(face);
  const size = (isSmall ? 11 : 12) * density;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const pad = 4 * density;
  const labelWidth = context.measureText(words).width + 2 * pad;
  const labelHeight = size + pad;
  const labelX = Math.min(Math.max(0, x - context.lineWidth / 2), context.canvas.width - labelWidth);
  const labelY =
    y - labelHeight >= 0 ? y - labelHeight : Math.min(y + height, context.canvas.height - labelHeight);
  context.fillStyle = colour;
  context.fillRect(labelX, labelY, labelWidth, labelHeight);
  context.fillStyle = '#0b0f14';
  context.textBaseline = 'middle';
  context.fillText(words, labelX + pad, labelY + labelHeight / 2);
}
