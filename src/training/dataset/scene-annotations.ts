import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { MASK_LABELS } from '../../domain/label.js';
import { AppError } from '../../lib/errors.js';
import { type AnnotatedScene, completeScenes, type ReadingOptions } from './formats/annotated-scene.js';
import type { ScenePicture } from './picture.js';

export const ANNOTATIONS_FILE = 'annotations.jsonl';

const lineSchema = z.object({
  file: z.string().min(1),
  width: z.number().positive(),
  height: z.number().positive(),
  faces: z.array(
    z.object({
      x: z.number(),
      y: z.number(),
      width: z.number(),
      height: z.number(),
      label: z.enum(MASK_LABELS),
    }),
  ),
});

/**
 * Reads `annotations.jsonl` of a folder of scenes: one picture a line, `{file, width, height, faces: [{x, y,
 * width, height, label}]}`, boxes in pixels of the picture as stored. Empty lines are skipped; what is left out is told
 * to `onProblem`. Throws `AppError` DATA_NOT_FOUND when the file or every picture is missing, DATA_INVALID naming the
 * line that breaks the form.
 */
export async function readScenes(
  directory: string,
  { onProblem }: ReadingOptions = {},
): Promise<ScenePicture[]> {
  const root = resolve(directory);
  const path = join(root, ANNOTATIONS_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('DATA_NOT_FOUND', `${path} cannot be read`, { cause, path, exitCode: 2 });
  }
  const scenes = text.split(/\r?\n/).flatMap((line, index): AnnotatedScene[] => {
    if (line.trim() === '') return [];
    const { file, width, height, faces } = parseLine(line, path, index + 1);
    const source = `${ANNOTATIONS_FILE}, line ${index + 1}`;
    return [
      {
        path: join(root, file),
        size: { width, height },
        boxes: faces.map(({ label, ...box }) => ({ box, meaning: label, source })),
      },
    ];
  });
  return completeScenes(
    root,
    scenes,
    { name: ANNOTATIONS_FILE, isRelative: false, boxesIn: 'stored', isSizeIdle: true },
    onProblem,
  );
}

function parseLine(line: string, path: string, lineNumber: number): z.infer<typeof lineSchema> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw invalid(path, lineNumber, 'is not JSON', cause);
  }
  const parsed = lineSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalid(path, lineNumber, `${issue.path.join('.') || '(line)'}: ${issue.message}`, parsed.error);
}

function invalid(path: string, lineNumber: number, problem: string, cause: unknown): AppError {
  return new AppError('DATA_INVALID', `${path}, line ${lineNumber}: ${problem}`, {
    cause,
    path: `${path}:${lineNumber}`,
    hint: 'expected {"file", "width", "height", "faces": [{"x", "y", "width", "height", "label"}]}',
    exitCode: 2,
  });
}
