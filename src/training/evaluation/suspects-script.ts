/** Style of the page of suspects. */
export const SUSPECTS_STYLE = `
*{box-sizing:border-box}body{font:14px/1.45 system-ui,sans-serif;margin:0;padding:0 1.5rem 5rem;color:#1b1e23;background:#f3f4f7}
header,section{max-width:96rem;margin:0 auto}h1{margin:1.5rem 0 .5rem;font-size:1.6rem}h2{margin:2rem 0 .25rem}header p,section>p{max-width:62rem;margin:.35rem 0;color:#41464f}
code{background:#e4e7ee;border-radius:3px;padding:0 .25rem}.none{font-style:italic}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(30rem,100%),1fr));gap:1rem;margin-top:1rem}
article{background:#fff;border:1px solid #dcdfe6;border-radius:8px;padding:.75rem;display:grid;grid-template-columns:11rem 1fr;gap:.6rem .8rem;align-content:start}
article.chosen{border-color:#2b7bb9;box-shadow:0 0 0 1px #2b7bb9}
figure{margin:0;position:relative;overflow:hidden;border-radius:5px;align-self:start;line-height:0}figure img{width:100%;aspect-ratio:1}
figure span{position:absolute;border:2px solid #ffd23f;box-shadow:0 0 0 1px #0008,inset 0 0 0 1px #0008}
.what{min-width:0}h3{margin:0 0 .4rem;font-size:.9rem;font-weight:400;display:flex;flex-wrap:wrap;gap:0 .6rem;justify-content:space-between}.loss{color:#b3400f;white-space:nowrap;font-variant-numeric:tabular-nums}
ul{list-style:none;margin:0 0 .5rem;padding:0}li{display:grid;grid-template-columns:10.4rem 1fr 2.8rem;gap:.4rem;align-items:center;font-size:.78rem;color:#41464f}
li.labelled span{font-weight:700;color:#1b1e23}li i{height:.5rem;background:#e8eaf0;border-radius:2px;overflow:hidden}li b{display:block;height:100%;background:#9aa3b2}li.labelled b{background:#2b7bb9}
li em{font-style:normal;text-align:right;font-variant-numeric:tabular-nums}
.where{margin:0;font-size:.75rem;color:#666c78;overflow-wrap:anywhere}
.choices{grid-column:1/-1;display:flex;flex-wrap:wrap;gap:.35rem}
button{font:inherit;border:1px solid #b8bfcc;border-radius:999px;background:#fff;padding:.15rem .7rem;cursor:pointer}button:hover{border-color:#2b7bb9}
button:focus-visible{outline:2px solid #2b7bb9;outline-offset:2px}button[aria-pressed=true]{background:#2b7bb9;border-color:#2b7bb9;color:#fff}button:disabled{opacity:.5;cursor:default}
.standing{grid-column:1/-1;margin:0;font-size:.8rem;color:#8a4b00}
pre{grid-column:1/-1;margin:0;padding:.4rem .5rem;background:#f3f4f7;border-radius:4px;font-size:.7rem;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
footer{position:fixed;inset:auto 0 0;background:#1b1e23;color:#e8eaed;padding:.6rem 1.5rem;display:flex;gap:.8rem;align-items:center}footer span{margin-right:auto}
@media(max-width:34rem){body{padding-inline:.5rem}.cards{grid-template-columns:1fr}article{grid-template-columns:7rem 1fr}}
`;

/**
 * Script of the page of suspects: one choice a card, chosen again it is taken back; what is chosen is kept by the
 * browser, so that closing the page loses nothing.
 */
export const SUSPECTS_SCRIPT = `
const key = 'maskwatch-suspects-' + document.body.dataset.page;
const cards = [...document.querySelectorAll('article')];
let kept = {};
try { kept = JSON.parse(localStorage.getItem(key) || '{}'); } catch {}
const lines = () => cards.flatMap((card) => {
  const pressed = card.querySelector('[aria-pressed=true]');
  return pressed ? pressed.dataset.lines.split('\\n') : [];
});
function show() {
  const chosen = cards.filter((card) => card.querySelector('[aria-pressed=true]'));
  const replacing = chosen.filter((card) => card.querySelector('.standing')).length;
  const count = lines().length;
  document.getElementById('count').textContent = count === 0 ? 'Nothing chosen yet'
    : chosen.length + (chosen.length === 1 ? ' face, ' : ' faces, ') + count + (count === 1 ? ' line' : ' lines')
      + (replacing > 0 ? '; ' + replacing + ' to take the place of an earlier line' : '');
  for (const id of ['copy', 'save']) document.getElementById(id).disabled = count === 0;
}
function press(card, at) {
  const buttons = [...card.querySelectorAll('.choices button')];
  buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === at)));
  card.classList.toggle('chosen', at !== null);
  if (at !== null) card.querySelector('pre').textContent = buttons[at].dataset.lines;
}
cards.forEach((card, index) => {
  if (kept[index] !== undefined) press(card, kept[index]);
  [...card.querySelectorAll('.choices button')].forEach((button, at) => {
    button.onclick = () => {
      const isTakenBack = button.getAttribute('aria-pressed') === 'true';
      press(card, isTakenBack ? null : at);
      if (isTakenBack) delete kept[index]; else kept[index] = at;
      try { localStorage.setItem(key, JSON.stringify(kept)); } catch {}
      show();
    };
  });
});
document.getElementById('copy').onclick = async (event) => {
  const button = event.currentTarget;
  try { await navigator.clipboard.writeText(lines().join('\\n') + '\\n'); button.textContent = 'Copied'; }
  catch { button.textContent = 'Copying is not allowed here: save the file'; }
  setTimeout(() => { button.textContent = 'Copy all lines'; }, 2000);
};
document.getElementById('save').onclick = () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([lines().join('\\n') + '\\n'], { type: 'application/jsonl' }));
  link.download = 'corrections.jsonl';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
show();
`;
