import { type Command, Option } from 'commander';
import { printJson, printLine } from '../output.js';

interface ModelsOptions {
  dir?: string;
  json?: true;
}

const json = () => new Option('--json', 'print the result as JSON');
const dir = () =>
  new Option('--dir <folder>', 'folder of models, one folder each (default: those that ship)');

export function register(program: Command): void {
  const models = program.command('models').description('List, show and verify the models.');
  models
    .command('list')
    .description('List the models with version, task and size.')
    .addOption(dir())
    .addOption(json())
    .action(async (options: ModelsOptions) => {
      const { listModels } = await import('../model-folders.js');
      const found = await listModels(await folderOf(options));
      if (options.json) return printJson({ models: found });
      for (const model of found)
        printLine(
          'error' in model
            ? `${model.name}  broken: ${model.error.message}`
            : `${model.name}  ${model.version}  ${model.task}  ${(model.sizeBytes / 1e6).toFixed(1)} MB  ${model.license}  ${model.description}`,
        );
    });
  models
    .command('show')
    .description('Print the manifest of a model.')
    .argument('<name>', 'name of the model')
    .addOption(dir())
    .addOption(json())
    .action(async (name: string, options: ModelsOptions) => {
      const [{ modelFolder }, { readManifest }] = await Promise.all([
        import('../model-folders.js'),
        import('../../inference/manifest.js'),
      ]);
      const manifest = await readManifest(await modelFolder(await folderOf(options), name));
      if (options.json) return printJson(manifest);
      const { stringify } = await import('yaml');
      printLine(stringify(manifest).trimEnd());
    });
  models
    .command('verify')
    .description(
      'Compare the files of models with size and sha256 of their manifests; exit code 1 if one differs.',
    )
    .argument('[name...]', 'names of models (default: all)')
    .addOption(dir())
    .addOption(json())
    .action(async (names: string[], options: ModelsOptions) => {
      const { verifyModels } = await import('../model-folders.js');
      const checked = await verifyModels(await folderOf(options), names);
      const isOk = checked.every((model) => model.ok);
      if (!isOk) process.exitCode = 1;
      if (options.json) return printJson({ ok: isOk, models: checked });
      for (const { name, ok, problems } of checked) {
        printLine(`${name}: ${ok ? 'as its manifest says' : 'differs from its manifest'}`);
        for (const problem of problems) printLine(`  ${problem.message}`);
      }
    });
}

async function folderOf(options: ModelsOptions): Promise<string> {
  if (options.dir !== undefined) return options.dir;
  const { modelsDir } = await import('../../lib/package-paths.js');
  return modelsDir();
}
