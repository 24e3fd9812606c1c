/*
 * The import rule (docs/architecture.md): domain imports nothing; a stage imports domain, lib and its own
 * folder; adapters are imported by app.ts, by workers and by what stands behind the
 * commands (cli, demo, offline, bench, probe, training) alone; workers import the engine,
 * domain, lib, their protocol and the pure pixel kernels of detection, crops and picture health.
 */
const STAGES = 'ingest|detection|tracking|crops|classification|decision';
const ADAPTERS = [
  '^src/ingest/(?!.*frame-source\\.ts$).*(-source|-frame-source)\\.ts$',
  '^src/inference/(onnxruntime|ort|tfjs)[^/]*\\.ts$',
  '^src/inference/(onnxruntime|ort|tfjs)/',
  '^src/publish/.*(sqlite|postgres|redis|mqtt|webhook)[^/]*\\.ts$',
];
const COMPOSERS = '^src/(app|assemble-[a-z-]+)\\.ts$|^workers/|^src/(cli|demo|offline|bench|probe|training)/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle cannot be read from one end to the other. Types alone may point back.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'domain-imports-nothing',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'lib-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/lib/' },
      to: { path: '^(src|workers|web|test)/', pathNot: '^src/(lib|domain)/' },
    },
    {
      name: 'a-stage-imports-domain-and-lib',
      comment: 'Stages know each other through domain types only; the pipeline puts them together.',
      severity: 'error',
      from: { path: `^src/(${STAGES})/` },
      to: { path: '^(src|workers|web|test)/', pathNot: '^src/(domain|lib|$1)/|^workers/protocol\\.ts$' },
    },
    {
      name: 'config-is-for-the-composer',
      comment: 'Only app.ts and the command line know the configuration file; stages take plain options.',
      severity: 'error',
      from: { path: '^(src|workers)/', pathNot: `^src/config/|${COMPOSERS}` },
      to: { path: '^src/config/' },
    },
    {
      name: 'adapters-behind-ports',
      comment: 'An adapter is chosen by app.ts, a worker or the command line, nowhere else.',
      severity: 'error',
      from: { path: '^(src|workers)/', pathNot: `${COMPOSERS}|${ADAPTERS.join('|')}` },
      to: { path: ADAPTERS, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workers-stay-small',
      severity: 'error',
      from: { path: '^workers/' },
      to: {
        path: '^(src|web|test)/',
        pathNot: '^src/((inference|domain|lib|detection|crops)/|ingest/picture-statistics\\.ts$)',
      },
    },
    {
      name: 'nobody-imports-the-composer',
      severity: 'error',
      from: { path: '^(src|workers|web)/', pathNot: '^src/(cli|demo)/|^src/main\\.ts$|^src/app' },
      to: { path: '^src/(app\\.ts$|cli/|main\\.ts$)' },
    },
    {
      name: 'the-page-imports-wire-types',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(src|workers|test)/', pathNot: '^src/publish/events\\.ts$|^src/domain/' },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { path: '^(src|workers|web|scripts|bin)/' },
      to: { path: '^test/' },
    },
    {
      name: 'nothing-unresolvable',
      severity: 'error',
      from: { path: '^(src|workers)/' },
      to: { couldNotResolve: true, pathNot: '^@tensorflow/tfjs-node(-gpu)?$' },
    },
    {
      name: 'no-development-packages-at-run-time',
      severity: 'error',
      from: { path: '^(src|workers)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
