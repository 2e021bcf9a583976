/** Requests to the studio's server: problems as errors, the CSRF token on every write. */

const BASE = "/api/v1";

/** What the server said against a request, or that there was no answer (status 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** The whole answer, where it was JSON. */
    readonly body: Readonly<Record<string, unknown>> = {},
    /** Seconds after which to come again, if the server said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

let csrf: Promise<string> | null = null;

/** The token is asked for anew: after signing in or out, or when the server no longer takes it. */
export function forgetToken(): void {
  csrf = null;
}

async function token(): Promise<string> {
  csrf ??= send("GET", "/me", null, {})
    .then(async (response) => ((await response.json()) as { csrf: string }).csrf)
    .catch((error) => {
      csrf = null;
      throw error;
    });
  return csrf;
}

function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return `${BASE}${path}${given.length > 0 ? `?${new URLSearchParams(given)}` : ""}`;
}

async function send(
  method: string,
  path: string,
  body: BodyInit | null,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path.startsWith(BASE) ? path : address(path), {
      method,
      body,
      headers,
      credentials: "same-origin",
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", "The server does not answer.");
  }
  if (!response.ok) throw await problem(response);
  return response;
}

async function problem(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = body["detail"] ?? body["title"] ?? `The server answered ${response.status}.`;
  const after = Number(response.headers.get("Retry-After"));
  return new ApiError(
    response.status,
    String(body["code"] ?? "error"),
    typeof text === "string" ? text : JSON.stringify(text),
    body,
    Number.isFinite(after) && after > 0 ? after : null,
  );
}

/** A write: with the token, and once more with a new one if the server was restarted and does not know the old one. */
async function write(
  method: string,
  path: string,
  body: BodyInit | null,
  type: string | null,
  signal?: AbortSignal,
): Promise<Response> {
  const headers = async () => ({
    "X-CSRF-Token": await token(),
    ...(type ? { "Content-Type": type } : {}),
  });
  try {
    return await send(method, path, body, await headers(), signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "csrf") throw error;
    forgetToken();
    return send(method, path, body, await headers(), signal);
  }
}

async function parsed<T>(response: Response): Promise<T> {
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** JSON of a GET. Throws ApiError. */
export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return parsed<T>(await send("GET", address(path, query), null, { Accept: "application/json" }, signal));
}

/** Bytes of a GET. Throws ApiError. */
export async function getBytes(path: string, query?: Query, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await send("GET", address(path, query), null, {}, signal)).arrayBuffer();
}

/** Sends JSON, gives the answer's JSON. Throws ApiError. */
export async function post<T>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
  return parsed<T>(await write("POST", address(path), JSON.stringify(body), "application/json", signal));
}

/** Changes parts of something. Throws ApiError. */
export async function patch<T>(path: string, body: unknown): Promise<T> {
  return parsed<T>(await write("PATCH", address(path), JSON.stringify(body), "application/json"));
}

/** Removes something. Throws ApiError. */
export async function remove(path: string): Promise<void> {
  await write("DELETE", address(path), null, null);
}

/** Sends a form with files. Throws ApiError. */
export async function postForm<T>(path: string, form: FormData, signal?: AbortSignal): Promise<T> {
  return parsed<T>(await write("POST", address(path), form, null, signal));
}

/** Sends JSON, gives a file and the name that the server suggests for it. Throws ApiError. */
export async function postForFile(
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<{ blob: Blob; name: string | null; headers: Headers }> {
  const response = await write("POST", address(path), JSON.stringify(body), "application/json", signal);
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const name =
    /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1] ?? /filename="([^"]+)"/.exec(disposition)?.[1];
  return {
    blob: await response.blob(),
    name: name ? decodeURIComponent(name) : null,
    headers: response.headers,
  };
}

/** The address of something that a tag loads by itself: a picture, a stream of events. */
export function url(path: string, query?: Query): string {
  return address(path, query);
}
