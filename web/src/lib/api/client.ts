/**
 * Requests to the service.
 *
 * Invariants: an answer is what was asked for or an `ApiError` with a sentence for people; when the access token has run
 * out it is renewed once, by one request for all that wait, and the request is made again; so it is when the service asks
 * to confirm with the password, once that was done.
 *
 * Not here: what happens when the login is gone (`onLoggedOut`), and asking for the password (`onConfirm`): the app's.
 */
import { waitWords } from '../format.ts';
import type { ErrorCode } from '../protocol.gen.ts';

export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    /** HTTP status; 0 where there was no answer. */
    readonly status: number,
    readonly code: ErrorCode | 'unreachable',
    message: string,
    /** The field of the request that was wrong. */
    readonly field: string | null = null,
    /** For support. */
    readonly trace: string | null = null,
    /** When it can be tried again, where the service said so. */
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

export type Renewal = 'renewed' | 'logged_out' | 'unreachable';

export class Client {
  /** Called when a request needs a login and none can be had. */
  onLoggedOut: () => void = () => undefined;
  /** Asks for the password, so that what needs it can be done; false where the person would rather not. */
  onConfirm: () => Promise<boolean> = () => Promise.resolve(false);
  private renewing: Promise<Renewal> | null = null;
  private confirming: Promise<boolean> | null = null;

  constructor(private readonly fetcher: typeof fetch = (...args) => fetch(...args)) {}

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.json<T>('GET', path, undefined, signal);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.json<T>('POST', path, body);
  }

  put<T>(path: string, body?: unknown): Promise<T> {
    return this.json<T>('PUT', path, body);
  }

  delete<T = undefined>(path: string, body?: unknown): Promise<T> {
    return this.json<T>('DELETE', path, body);
  }

  /** A file to keep, with the name that the service gives it. */
  async file(path: string): Promise<{ name: string; blob: Blob }> {
    const answer = await this.send('GET', path);
    const name = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1];
    return { name: name ?? 'download', blob: await answer.blob() };
  }

  async bytes(path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.send('GET', path, undefined, signal);
    return new Uint8Array(await answer.arrayBuffer());
  }

  /** Renews the login; at most one such request runs at a time. */
  renew(): Promise<Renewal> {
    this.renewing ??= this.askRenewal().finally(() => (this.renewing = null));
    return this.renewing;
  }

  protected async askRenewal(): Promise<Renewal> {
    try {
      const answer = await this.fetcher('/api/auth/refresh', { method: 'POST', credentials: 'same-origin' });
      if (answer.ok) return 'renewed';
      return answer.status >= 500 || answer.status === 429 ? 'unreachable' : 'logged_out';
    } catch {
      return 'unreachable';
    }
  }

  private async json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const answer = await this.send(method, path, body, signal);
    if (answer.status === 204) return undefined as T;
    try {
      return (await answer.json()) as T;
    } catch {
      throw new ApiError(answer.status, 'internal', 'The service gave an answer that is not JSON.');
    }
  }

  private async send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    let answer = await this.try(method, path, body, signal);
    const mayRenew = answer.status === 401 && !path.startsWith('/api/auth/');
    if (mayRenew) {
      const renewal = await this.renew();
      if (renewal === 'unreachable') throw unreachable();
      if (renewal === 'renewed') answer = await this.try(method, path, body, signal);
      if (answer.status === 401) this.onLoggedOut();
    }
    if (answer.ok) return answer;
    const error = await errorOf(answer);
    if (error.code !== 'confirm_required') throw error;
    return this.sendConfirmed(method, path, body, signal);
  }

  /** The same again, once the password was shown; one question for all that wait. */
  private async sendConfirmed(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    this.confirming ??= this.onConfirm().finally(() => (this.confirming = null));
    if (!(await this.confirming)) throw notConfirmed();
    const answer = await this.try(method, path, body, signal);
    if (!answer.ok) throw await errorOf(answer);
    return answer;
  }

  private async try(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const init: RequestInit = { method, credentials: 'same-origin' };
    if (signal !== undefined) init.signal = signal;
    if (body !== undefined) {
      init.headers = { 'content-type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    try {
      return await this.fetcher(path, init);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw unreachable();
    }
  }
}

function unreachable(): ApiError {
  return new ApiError(0, 'unreachable', 'The service cannot be reached. Check the connection and try again.');
}

function notConfirmed(): ApiError {
  return new ApiError(403, 'confirm_required', 'This was not done: it needs your password.');
}

async function errorOf(answer: Response): Promise<ApiError> {
  const seconds = Number.parseInt(answer.headers.get('retry-after') ?? '', 10);
  const retryAfterS = Number.isNaN(seconds) ? null : seconds;
  try {
    const { error } = (await answer.json()) as {
      error: { code: ErrorCode; message: string; field?: string | null; trace?: string };
    };
    const [field, trace] = [error.field ?? null, error.trace ?? null];
    const message = sentence(withWords(error.message, retryAfterS));
    return new ApiError(answer.status, error.code, message, field, trace, retryAfterS);
  } catch {
    const code = answer.status >= 500 ? 'unavailable' : 'internal';
    const message = `The service answered with status ${answer.status}.`;
    return new ApiError(answer.status, code, message, null, null, retryAfterS);
  }
}

/** "try again in 3540 s" as people say it. */
function withWords(message: string, retryAfterS: number | null): string {
  return retryAfterS === null ? message : message.replace(`in ${retryAfterS} s`, `in ${waitWords(retryAfterS)}`);
}

/** The service's messages begin in lower case and have no full stop, so that they can be quoted. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What to say to people about anything that was thrown. */
export function problemOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, 'internal', error instanceof Error ? error.message : String(error));
}
