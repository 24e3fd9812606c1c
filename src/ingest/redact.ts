/** What stands where a credential stood. */
export const REDACTED = '***';

/** The parts of an address that ffmpeg and people need apart. */
export interface SplitUrl {
  /** The address without user and password. */
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const AUTHORITY = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i;

/**
 * Takes user and password out of an address. Written for addresses that people paste: `new URL` refuses or
 * alters some of them. The user info ends at the last `@` before the first `/`, `?` or `#`.
 */
export function splitUrl(url: string): SplitUrl {
  const match = AUTHORITY.exec(url);
  if (!match) return { url, username: undefined, password: undefined };
  const [whole, scheme = '', userInfo = ''] = match;
  const colon = userInfo.indexOf(':');
  const username = colon < 0 ? userInfo : userInfo.slice(0, colon);
  const password = colon < 0 ? undefined : userInfo.slice(colon + 1);
  return {
    url: scheme + url.slice(whole.length),
    username: decode(username),
    password: password === undefined ? undefined : decode(password),
  };
}

/**
 * User info of an address within a text. Ends at the last `@` where a colon before the first slash gives away that it is
 * no port: people paste passwords with "@", "/" and "#" as they are.
 */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#:@[\]'"]+:(?!\d+(?:[\s/?#'"]|$))\S*|[^\s/?#'"]*)@/gi;
/**
 * `…/user=admin&password=…` and `…_password=…`, in which many cameras want it, and the same in queries that stand in no
 * address.
 */
const SECRET_FIELD =
  /([?&/;_][a-z0-9-]*(?:pass|pas\b|pwd|psw|pw\b|auth|token|key|secret|usr|signature|session)[a-z0-9-]*=)(?!\*{3}(?:\W|$))[^\s&/;#'"]+/gi;
/** Cameras call a password by so many names that only fields that are known to be harmless keep their value. */
const HARMLESS_FIELDS = new Set(
  `action app bitrate cam camera camid ch channel channelid chn codec compression container format fps framerate gop h
  h26x height inst line mirror mode port profile profileid proto protocol quality rate real_stream res resolution rotation
  size stream streamid streamtype stype subtype tcp timeout trackid transport transportmode type udp unicast video
  videocodec w width`.split(/\s+/),
);
/** What is longer, or has other characters, is no number and no name of a format. */
const HARMLESS_VALUE = /^[\w.:,*-]{0,24}$/;
/** Of the sentence in which an address stands. */
const PUNCTUATION = /['":,.;)>\]}]*$/;

/** What stands in the query of an address or a path, if the word has one. */
function redactQuery(word: string): string {
  const start = word.indexOf('?') + 1;
  if (!word.slice(0, start).includes('/')) return word;
  const end = PUNCTUATION.exec(word)?.index ?? word.length;
  const fields = word.slice(start, end).split('&').map(redactField);
  return word.slice(0, start) + fields.join('&') + word.slice(end);
}

function redactField(field: string): string {
  const equals = field.indexOf('=');
  const name = equals < 0 ? field : field.slice(0, equals);
  if (HARMLESS_FIELDS.has(name.toLowerCase()) && HARMLESS_VALUE.test(field.slice(name.length + 1)))
    return field;
  // Without a name it may be the rest of a password with an "&".
  return equals < 0 ? field && REDACTED : `${name}=${REDACTED}`;
}

/**
 * Removes credentials from text that another program or a person wrote: the user info of every address in it, the
 * passwords in its paths, all that is not known to be harmless in its queries, and each of `secrets` as it is,
 * percent-encoded, and as it looks inside a quoted header.
 */
export function redactSecrets(text: string, secrets: readonly (string | undefined)[] = []): string {
  let result = text;
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (!secret) continue;
    for (const form of [secret, encodeUserInfo(secret), encodeURIComponent(secret), encodeURI(secret)])
      forms.add(form);
  }
  // Longest first: otherwise a short form would leave the rest of a longer one behind.
  for (const form of [...forms].sort((a, b) => b.length - a.length))
    result = result.replaceAll(form, REDACTED);
  return result
    .replace(USER_INFO, `$1${REDACTED}@`)
    .replace(/\S+/g, redactQuery)
    .replace(SECRET_FIELD, `$1${REDACTED}`);
}

/** Percent-encodes everything but RFC 3986's unreserved characters, so that no byte can end the user info. */
export function encodeUserInfo(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % means that it was never encoded.
  }
}
