import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { MASK_LABELS, topLabel } from '../../domain/label.js';
import type { Correction } from '../dataset/corrections.js';
import { contentHashOf } from '../dataset/fingerprint.js';
import { fileInDataset } from '../dataset/picture.js';
import { escapeXml } from '../report/escape-xml.js';
import { type CorrectionOffer, correctionChoices } from './correction-choices.js';
import type { JudgedPicture } from './judge-pictures.js';
import { type SuspectPicture, suspectPictures } from './suspect-pictures.js';
import { findSuspects, type Suspect } from './suspects.js';
import { SUSPECTS_SCRIPT, SUSPECTS_STYLE } from './suspects-script.js';

export interface SuspectsPageOptions {
  readonly model: string;
  readonly data: string;
  /** Of each of the two kinds. */
  readonly most: number;
  /** Those that the labels were judged with; their files for people. */
  readonly corrections: readonly Correction[];
  readonly correctionFiles: readonly string[];
  readonly onDone?: (done: number) => void;
}

/** What a suspect is shown with. */
interface Card {
  readonly suspect: Suspect;
  readonly hash: string;
  readonly offer: CorrectionOffer;
  readonly picture: SuspectPicture;
}

/**
 * Writes a page that stands alone: the faces whose labels the model doubts most, and the sure detections without a
 * label, each with the lines of a corrections file that would mend it. Throws `AppError` DATA_UNREADABLE.
 */
export async function writeSuspectsPage(
  path: string,
  judged: readonly JudgedPicture[],
  options: SuspectsPageOptions,
): Promise<void> {
  const { labels, unlabelled, outOf } = findSuspects(judged, options.most);
  const suspects: Suspect[] = [...labels, ...unlabelled];
  const pictures = await suspectPictures(suspects, options.onDone);
  const cards: Card[] = [];
  for (const suspect of suspects) {
    const hash = await contentHashOf(suspect.picture.path);
    const offer = correctionChoices(suspect, hash, options.corrections);
    cards.push({ suspect, hash, offer, picture: pictures.get(suspect)! });
  }
  const isScenes = judged.some(({ picture }) => picture.kind === 'scene');
  const sections = [
    section(
      'Labels in doubt',
      `${labels.length} of ${outOf.labels} labelled faces, the highest loss first: what the model holds for least likely.
A high loss is either a wrong label or a mistake of the model; only a look tells which.`,
      cards.filter(({ suspect }) => suspect.kind === 'label'),
    ),
    ...(isScenes
      ? [
          section(
            'Faces without a label',
            `${unlabelled.length} of ${outOf.unlabelled} detections on no label that the classifier holds for a face, the surest first.
Those in regions that are not counted, or where somebody has said before that there is no face, are not here.`,
            cards.filter(({ suspect }) => suspect.kind === 'unlabelled'),
          ),
        ]
      : []),
  ];
  await writeFile(path, page(options, sections, cards));
}

function page(
  { model, data, correctionFiles }: SuspectsPageOptions,
  sections: readonly string[],
  cards: readonly Card[],
): string {
  const stoodOn =
    correctionFiles.length > 0
      ? `Judged with the corrections of ${correctionFiles.map((file) => `<code>${escapeXml(file)}</code>`).join(', ')}.`
      : 'Judged without corrections: what is doubted here may be mended already.';
  // Under this name the browser keeps what was chosen, until the page is made anew from other findings.
  const id = createHash('sha256')
    .update(cards.flatMap(({ offer }) => offer.choices.flatMap(({ lines }) => lines)).join('\n'))
    .digest('hex')
    .slice(0, 12);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Suspects of ${escapeXml(model)}</title>
<style>${SUSPECTS_STYLE}</style>
<body data-page="${id}">
<header><h1>Labels to look at</h1>
<p>${escapeXml(model)} on ${escapeXml(data)}. ${stoodOn}</p>
<p>Choose what is to be seen; the lines gather below and go into a corrections file
(<code>models/data/corrections….jsonl</code>, or any given with <code>--corrections</code>). Where the label is right, choose nothing.</p></header>
${sections.join('\n')}
<footer><span id="count">Nothing chosen yet</span><button id="copy" disabled>Copy all lines</button><button id="save" disabled>Save as corrections.jsonl</button></footer>
<script>${SUSPECTS_SCRIPT}</script>
</body></html>
`;
}

function section(title: string, about: string, cards: readonly Card[]): string {
  return `<section><h2>${title}</h2><p>${about}</p>
${cards.length > 0 ? `<div class="cards">${cards.map(cardHtml).join('\n')}</div>` : '<p class="none">There is none.</p>'}</section>`;
}

function cardHtml({ suspect, hash, offer, picture }: Card): string {
  const { box, scores, faceScore, facePx } = suspect;
  const file = fileInDataset(suspect.picture);
  const judged = topLabel(scores);
  const percent = (share: number) => `${(share * 100).toFixed(2)}%`;
  const { x, y, width, height } = picture.frame;
  const bars = MASK_LABELS.map((label) => {
    const isLabel = suspect.kind === 'label' && suspect.label === label;
    return `<li${isLabel ? ' class="labelled"' : ''}><span>${label}</span><i><b style="width:${percent(scores[label])}"></b></i><em>${scores[label].toFixed(3)}</em></li>`;
  });
  const head =
    suspect.kind === 'label'
      ? `<span><b>${suspect.label}</b>${judged === suspect.label ? '' : ` → ${judged}`}</span><span class="loss" title="cross-entropy of the label">loss ${suspect.lossNats.toFixed(2)} nats</span>`
      : `<span><b>no label</b> → ${judged}</span><span class="loss" title="the detector's score">detected ${suspect.detectionScore.toFixed(2)}</span>`;
  const place = [box.x, box.y, box.width, box.height].map((side) => Math.round(side)).join(', ');
  const choices = offer.choices.map(
    ({ says, lines }) =>
      `<button type="button" aria-pressed="false" data-lines="${escapeXml(lines.join('\n'))}">${says}</button>`,
  );
  return `<article>
<figure><img loading="lazy" alt="${escapeXml(file)}" src="data:image/jpeg;base64,${picture.jpeg.toString('base64')}"><span style="left:${percent(x)};top:${percent(y)};width:${percent(width)};height:${percent(height)}"></span></figure>
<div class="what"><h3>${head}</h3><ul>${bars.join('')}</ul>
<p class="where">${escapeXml(suspect.picture.dataset)}<br>${escapeXml(file)}<br>box ${place} · ${Math.round(facePx)} px · face ${faceScore.toFixed(2)} · ${hash}</p></div>
<div class="choices">${choices.join('')}</div>
${offer.replaces === null ? '' : `<p class="standing">Corrected before, in ${escapeXml(offer.replaces)}: a new line must take that line’s place.</p>`}
<pre title="Click to select">${escapeXml(offer.choices[0]!.lines.join('\n'))}</pre>
</article>`;
}
