/**
 * Requests to the service.
 *
 * Invariants: an answer is what was asked for or an `ApiError` with a sentence for people; when the access token has run
 * out it is renewed once, by one request for all that wait, and the request is made again.
 *
 * Not here: what happens when the login is gone (`onLoggedOut`, given by the app).
 */
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
  ) {
    super(message);
  }
}

export type Renewal = 'renewed' | 'logged_out' | 'unreachable';

export class Client {
  /** Called when a request needs a login and none can be had. */
  onLoggedOut: () => void = () => undefined;
  private renewing: Promise<Renewal> | null = null;

  constructor(private readonly fetcher: typeof fetch = (...args) => fetch(...args)) {}

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.json<T>('GET', path, undefined, signal);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.json<T>('POST', path, body);
  }

  delete(path: string): Promise<undefined> {
    return this.json<undefined>('DELETE', path);
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

  private async askRenewal(): Promise<Renewal> {
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

async function errorOf(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as {
      error: { code: ErrorCode; message: string; field?: string | null; trace?: string };
    };
    return new ApiError(answer.status, error.code, sentence(error.message), error.field ?? null, error.trace ?? null);
  } catch {
    const code = answer.status >= 500 ? 'unavailable' : 'internal';
    return new ApiError(answer.status, code, `The service answered with status ${answer.status}.`);
  }
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
