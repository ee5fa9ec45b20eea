import { type PodExtras, type Suite, toolsPod } from './fixture.ts';

/**
 * A server as upstream's agnhost netexec: `/hostname`, `/clientip` and whatever it gets, over HTTP on the ports of `HTTP` and as datagrams
 * on those of `UDP`; `/dial` asks others from where it is, `/resolve` asks the C library, `/ready?is=0` makes it fail its probe.
 */
const program = `
import http.server, json, os, socket, ssl, struct, threading, time, urllib.parse
name, bind = os.environ['NAME'], os.environ.get('BIND', '0.0.0.0')
state = {'ready': True}
def error(e):
    return 'refused' if isinstance(e, ConnectionRefusedError) else 'timeout' if isinstance(e, TimeoutError) else repr(e)
def ask_http(host, port, path, wait, source):
    with socket.create_connection((host, port), wait, ('', source)) as s:
        s.sendall(('GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' % (path, host)).encode())
        answer = b''
        while True:
            part = s.recv(65536)
            if not part: return answer.split(b'\\r\\n\\r\\n', 1)[1].decode()
            answer += part
def ask_udp(host, port, path, wait, source):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(wait); s.bind(('', source)); s.connect((host, port)); s.send(path.encode())
        return s.recv(65536).decode()
def dial(q):
    ask = ask_udp if q.get('protocol') == 'udp' else ask_http
    answers, errors = [], []
    for i in range(int(q.get('tries', 1))):
        if i and 'pause' in q: time.sleep(float(q['pause']))
        try: answers.append(ask(q['host'], int(q['port']), q.get('path', '/hostname'), float(q.get('wait', 5)), int(q.get('source', 0))))
        except OSError as e: errors.append(error(e))
    return {'answers': answers, 'errors': errors}
def resolve(q):
    try: found = socket.getaddrinfo(q['name'], None, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
    except socket.gaierror as e: return {'error': e.strerror}
    return {'canonical': found[0][3], 'addresses': sorted({f[4][0] for f in found})}
def reverse(q):
    try: return {'name': socket.gethostbyaddr(q['ip'])[0]}
    except OSError as e: return {'error': e.strerror}
def answer(path, client):
    at, _, query = path.partition('?')
    q = dict(urllib.parse.parse_qsl(query))
    if at == '/clientip': return client[0]
    if at == '/dial': return json.dumps(dial(q))
    if at == '/resolve': return json.dumps(resolve(q))
    if at == '/reverse': return json.dumps(reverse(q))
    if at == '/ready':
        if 'is' in q: state['ready'] = q['is'] == '1'
        return 'ready' if state['ready'] else None
    return name
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *a): pass
    def any(self):
        length = int(self.headers.get('Content-Length') or 0)
        sent = self.rfile.read(length).decode()
        port, kind = self.server.server_address[1], 'text/plain'
        if self.path.startswith('/echo'):
            text = json.dumps({'method': self.command, 'path': self.path, 'body': sent, 'headers': dict(self.headers.items())})
        elif self.path == '/' and 'BODY_%d' % port in os.environ:
            text, kind = os.environ['BODY_%d' % port], 'text/html'
        else: text = answer(self.path, self.client_address)
        body = (text or 'no').encode()
        self.send_response(200 if text is not None else 503)
        if self.path.startswith('/moved'): self.send_header('Location', '/elsewhere')
        self.send_header('Content-Type', kind); self.send_header('Content-Length', str(len(body))); self.end_headers()
        if self.command != 'HEAD': self.wfile.write(body)
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = any
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
def serve(port, tls):
    s = Server((bind, port), Handler)
    if tls:
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('/tls/tls.crt', '/tls/tls.key')
        s.socket = c.wrap_socket(s.socket, server_side=True)
    s.serve_forever()
def datagrams(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((bind, port))
    while True:
        data, client = s.recvfrom(65536)
        s.sendto(answer(data.decode(), client).encode(), client)
ports = lambda key: [int(p) for p in os.environ.get(key, '').split()]
for p in ports('HTTP'): threading.Thread(target=serve, args=(p, False)).start()
for p in ports('HTTPS'): threading.Thread(target=serve, args=(p, True)).start()
for p in ports('UDP'): threading.Thread(target=datagrams, args=(p,)).start()
`;

export interface NetPodOptions extends PodExtras {
  readonly labels?: Readonly<Record<string, string>>;
  /** @default [8080] */
  readonly http?: readonly number[];
  readonly https?: readonly number[];
  /** @default [8081] */
  readonly udp?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  /** On the node itself: it listens at the node's address alone. */
  readonly host?: boolean;
}

/** A pod that runs {@link program}; ready when it answers at its first port. */
export function netPod(name: string, options: NetPodOptions = {}): object {
  const { labels = {}, http = [8080], https = [], udp = [8081], env = {}, host = false, metadata, spec, container } = options;
  const fixed = { SERVER: program, NAME: name, HTTP: http.join(' '), HTTPS: https.join(' '), UDP: udp.join(' '), ...env };
  return toolsPod(name, 'exec python3 -u -c "$SERVER"', {
    metadata: { labels, ...metadata },
    spec: { ...(host ? { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } : {}), ...spec },
    container: {
      env: [
        ...Object.entries(fixed).map(([key, value]) => ({ name: key, value })),
        ...(host ? [{ name: 'BIND', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } }] : []),
      ],
      ...(http[0] === undefined ? {} : { readinessProbe: { httpGet: { path: '/ready', port: http[0] }, periodSeconds: 1 } }),
      ...container,
    },
  });
}

/** The program for a Python outside of any pod. */
export const netProgram = program;

export interface Dialling {
  readonly host: string;
  readonly port: number;
  /** @default 'http' */
  readonly protocol?: 'http' | 'udp';
  /** @default '/hostname' */
  readonly path?: string;
  /** @default 1 */
  readonly tries?: number;
  /** Seconds between tries. */
  readonly pause?: number;
  /** Seconds for each. @default 5 */
  readonly wait?: number;
  /** The port that is asked from. */
  readonly source?: number;
}

/** A question to `/dial`. */
export const dialPath = (to: Dialling): string =>
  `/dial?${new URLSearchParams(Object.entries(to).map(([key, value]): [string, string] => [key, String(value)]))}`;

export interface Dialled {
  readonly answers: readonly string[];
  /** `refused`, `timeout`, or what Python says. */
  readonly errors: readonly string[];
}

/** What the pod's server answers at a path. */
export async function askPod(suite: Suite, pod: string, path: string): Promise<string> {
  const { status, body } = await suite.ask(`pods/${pod}:8080/proxy${path}`, { timeoutMs: 60_000 });
  if (status !== 200) throw new Error(`${pod} ${path}: ${status} ${body}`);
  return body.toString();
}

export async function dial(suite: Suite, from: string, to: Dialling): Promise<Dialled> {
  return JSON.parse(await askPod(suite, from, dialPath(to))) as Dialled;
}

/** Who answers, each once, in order of their names. @throws when anything fails */
export async function whoAnswers(suite: Suite, from: string, to: Dialling): Promise<readonly string[]> {
  const { answers, errors } = await dial(suite, from, { tries: 20, ...to });
  if (errors.length > 0) throw new Error(`${from} → ${JSON.stringify(to)}: ${JSON.stringify({ answers, errors })}`);
  return [...new Set(answers)].sort();
}
