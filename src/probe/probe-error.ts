import type { CameraReason } from '../domain/camera.js';
import { type StreamKind, streamKind } from '../ingest/ffmpeg-arguments.js';
import type { RunEnd } from '../ingest/frame-source.js';
import type { ProbeError } from './probe-report.js';

export interface ProbedAddress {
  /** Without credentials. */
  readonly url: string;
  readonly hasPassword: boolean;
  /** Whether other transports are tried. */
  readonly isAuto: boolean;
}

const CODES: Record<CameraReason, string> = {
  started: 'STREAM_ENDED',
  first_frame: 'STREAM_ENDED',
  no_frames: 'STREAM_STALLED',
  connect_timeout: 'STREAM_NO_PICTURE',
  process_exited: 'STREAM_ENDED',
  refused: 'STREAM_REFUSED',
  unauthorized: 'STREAM_UNAUTHORIZED',
  not_found: 'STREAM_NOT_FOUND',
  unreachable: 'STREAM_UNREACHABLE',
  invalid_data: 'STREAM_NO_VIDEO',
  spawn_failed: 'STREAM_NO_FFMPEG',
  end_of_file: 'STREAM_ENDED',
  configuration: 'STREAM_UNSUPPORTED',
  stopped: 'STREAM_ENDED',
};

/** The end of a run as people and programs are told of it. */
export function probeError(end: RunEnd, address: ProbedAddress, message = end.message): ProbeError {
  const { reason } = end;
  return { code: CODES[reason], reason, message, hint: hintFor(reason, address) };
}

function hintFor(reason: CameraReason, address: ProbedAddress): string {
  const kind = streamKind(address.url);
  if (kind === 'file' || kind === 'device') return localHint(reason, kind);
  switch (reason) {
    case 'unauthorized':
      return address.hasPassword
        ? 'Look at user and password, which are given as they are, without percent-encoding; wait before the next try, as many cameras lock the account after a few.'
        : 'The camera wants to know who asks: give --username, and the password by --password-file or the variable MASKWATCH_PROBE_PASSWORD.';
    case 'not_found':
      return 'The camera answers, but has nothing at this path: its manual or its web page names the path of its streams (e.g. /Streaming/Channels/101, /stream1).';
    case 'refused':
      return `Is ${kind === 'rtsp' ? 'RTSP switched on in the camera' : 'the web service on'}, and is it this port${kind === 'rtsp' ? ' (554 is usual)' : ''}?`;
    case 'unreachable':
      return 'Is the camera on, is this its address, and may this machine reach it (cable, VLAN, firewall)? A camera that takes connections without answering hangs: cut its power for a moment.';
    case 'connect_timeout':
      return address.isAuto || kind !== 'rtsp'
        ? 'The camera is there and sends no picture: it may have as many viewers as it serves, or hang; end other viewers, then restart it.'
        : 'The camera is there and sends no picture this way: --transport auto tries the others; else end other viewers, then restart it.';
    case 'no_frames':
      return 'Pictures stop coming: look at cable, switch and Wi-Fi, and at the load of the camera; over UDP try --transport tcp.';
    case 'invalid_data':
      return kind === 'rtsp'
        ? 'Is this the port of RTSP and not that of the web page, and is the stream video (H.264, H.265 or MJPEG)?'
        : 'Is this the address of the video itself (MJPEG, HLS or a file), and not of a page that shows it?';
    case 'configuration':
      return kind === 'rtsp' && !address.isAuto
        ? 'The message names what does not fit; --transport auto finds the transports that the camera offers.'
        : 'The message names what does not fit.';
    case 'spawn_failed':
      return 'Run "maskwatch doctor".';
    default:
      return 'The camera ended the stream: look whether it restarts by itself or has too many viewers, then try again.';
  }
}

function localHint(reason: CameraReason, kind: StreamKind): string {
  if (kind === 'device')
    return 'Is the device connected, and does no other program use it? On Linux "ls /dev/video*" lists what there is.';
  if (reason === 'not_found') return 'Is the path right?';
  return 'Is it a video, and whole? Its name says nothing of what is in it; "ffmpeg -i FILE" tells more.';
}
