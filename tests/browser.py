"A headless Chromium, driven over the DevTools protocol: what the tests of the site and of JupyterLab share."
import json, shutil, subprocess, time
from urllib.parse import urlsplit
from urllib.request import urlopen
import pytest, websocket

browser = next(filter(None, map(shutil.which, ('chromium', 'google-chrome', 'chromium-browser', 'chrome'))), None)

class Tab:
    "A browser tab, driven over the DevTools protocol"
    def __init__(self, url):
        self.ws, self.n, self.events = websocket.create_connection(url, timeout=30, suppress_origin=True), 0, []
    def __call__(self, method, **params):
        "Send a command and return its answer; keep the events that come in between"
        self.n += 1
        self.ws.send(json.dumps(dict(id=self.n, method=method, params=params)))
        while True:
            m = json.loads(self.ws.recv())
            if m.get('id') == self.n:
                assert 'error' not in m, m
                return m['result']
            self.events.append(m)
    def value(self, js): return self('Runtime.evaluate', expression=js, returnByValue=True)['result'].get('value')
    def until(self, js, wait=30):
        "Whether an expression becomes true in time"
        end = time.time() + wait
        while not (done := self.value(js)) and time.time() < end: time.sleep(.1)
        return done
    def open(self, url, wait=30):
        "Load a page; return what happened on the way"
        self.events, end = [], time.time() + wait
        self('Page.navigate', url=url)
        while not any(e['method'] == 'Page.loadEventFired' for e in self.events):
            assert time.time() < end, f'{url} did not load'
            self.events.append(json.loads(self.ws.recv()))
        for _ in range(3): time.sleep(.1); self.value('1')
        return self.events

def complaints(events):
    "Console errors, failed requests and requests to other hosts among DevTools events"
    for e in events:
        p = e.get('params', {})
        if e['method'] == 'Runtime.exceptionThrown':
            yield p['exceptionDetails'].get('exception', {}).get('description', p['exceptionDetails']['text'])
        if e['method'] == 'Runtime.consoleAPICalled' and p['type'] in ('error', 'assert'):
            yield f"console: {[a.get('value') for a in p['args']]}"
        if e['method'] == 'Log.entryAdded' and p['entry']['level'] == 'error':
            yield f"{p['entry']['text']} {p['entry'].get('url', '')}"
        if e['method'] == 'Network.requestWillBeSent':
            u = urlsplit(p['request']['url'])
            if u.scheme not in ('data', 'blob') and u.hostname != '127.0.0.1':
                yield f"request to another host: {p['request']['url']}"
        if e['method'] == 'Network.responseReceived' and p['response']['status'] >= 400:
            yield f"{p['response']['status']} {p['response']['url']}"

@pytest.fixture(scope='session')
def tab(tmp_path_factory):
    "A tab of a headless Chromium with a profile of its own"
    if not browser: pytest.skip('no Chromium or Chrome on the PATH')
    prof = tmp_path_factory.mktemp('profile')
    flags = ('headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking '
        'disable-component-update disable-sync disable-dev-shm-usage')
    p = subprocess.Popen([browser, *(f'--{o}' for o in flags.split()), f'--user-data-dir={prof}',
        '--remote-debugging-port=0', 'about:blank'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port, end = prof/'DevToolsActivePort', time.time() + 60
    try:
        while not (port.exists() and port.read_text().strip()):
            if p.poll() is not None or time.time() > end: pytest.skip(f'{browser} does not start here')
            time.sleep(.1)
        with urlopen(f'http://127.0.0.1:{port.read_text().split()[0]}/json') as r:
            page = next(t for t in json.load(r) if t['type'] == 'page')
        t = Tab(page['webSocketDebuggerUrl'])
        for o in ('Page', 'Runtime', 'Log', 'Network'): t(f'{o}.enable')
        yield t
    finally: p.terminate(); p.wait(30)
