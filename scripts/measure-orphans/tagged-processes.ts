import { readdirSync, readFileSync } from 'node:fs';

export interface TaggedProcess {
  readonly pid: number;
  readonly command: string;
  readonly isFfmpeg: boolean;
}

/** Living processes with this text in their environment, by the kernel's account and not by ours. */
export function taggedProcesses(text: string): TaggedProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(text)) return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // A zombie has no command line; it waits for the system's init, its owner being gone.
      if (command === '') return [];
      return { pid: Number(name), command, isFfmpeg: /^\S*ffmpeg\b/.test(command) };
    } catch {
      return []; // Gone meanwhile.
    }
  });
}
