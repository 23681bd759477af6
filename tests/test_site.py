"The built site in a browser: every page loads by itself, in light, dark and on a phone, without errors or requests to other hosts."
import functools, http.server, json, shutil, subprocess, sys, threading, time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen
import pytest, websocket

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root/'tools'))
from dev import check_site

browser = next(filter(None, map(shutil.which, ('chromium', 'google-chrome', 'chromium-browser', 'chrome'))), None)

@pytest.fixture(scope='session')
def site():
    "The site, built anew into `_docs/`"
    r = subprocess.run([sys.executable, str(root/'tools/dev.py'), 'docs'], capture_output=True, text=True)
    assert (root/'_docs/index.html').exists(), r.stdout + r.stderr
    return root/'_docs'

def test_links(site):
    "No broken link or anchor, nothing loaded from another host"
    assert not check_site(site)

@pytest.fixture(scope='session')
def server(site):
    "The address the site is served at"
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *a): pass
    s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{s.server_port}'
    s.shutdown()

class Tab:
    "A browser tab, driven over the DevTools protocol"
    def __init__(self, url): self.ws, self.n, self.events = websocket.create_connection(url, timeout=30, suppress_origin=True), 0, []
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
        if e['method'] == 'Runtime.exceptionThrown': yield p['exceptionDetails'].get('exception', {}).get('description', p['exceptionDetails']['text'])
        if e['method'] == 'Runtime.consoleAPICalled' and p['type'] in ('error', 'assert'): yield f"console: {[a.get('value') for a in p['args']]}"
        if e['method'] == 'Log.entryAdded' and p['entry']['level'] == 'error': yield f"{p['entry']['text']} {p['entry'].get('url', '')}"
        if e['method'] == 'Network.requestWillBeSent':
            u = urlsplit(p['request']['url'])
            if u.scheme not in ('data', 'blob') and u.hostname != '127.0.0.1': yield f"request to another host: {p['request']['url']}"
        if e['method'] == 'Network.responseReceived' and p['response']['status'] >= 400: yield f"{p['response']['status']} {p['response']['url']}"

@pytest.fixture(scope='session')
def tab(tmp_path_factory):
    "A tab of a headless Chromium with a profile of its own"
    if not browser: pytest.skip('no Chromium or Chrome on the PATH')
    prof = tmp_path_factory.mktemp('profile')
    flags = 'headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync disable-dev-shm-usage'
    p = subprocess.Popen([browser, *(f'--{o}' for o in flags.split()), f'--user-data-dir={prof}', '--remote-debugging-port=0', 'about:blank'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port, end = prof/'DevToolsActivePort', time.time() + 60
    try:
        while not (port.exists() and port.read_text().strip()):
            if p.poll() is not None or time.time() > end: pytest.skip(f'{browser} does not start here')
            time.sleep(.1)
        with urlopen(f'http://127.0.0.1:{port.read_text().split()[0]}/json') as r: page = next(t for t in json.load(r) if t['type'] == 'page')
        t = Tab(page['webSocketDebuggerUrl'])
        for o in ('Page', 'Runtime', 'Log', 'Network'): t(f'{o}.enable')
        yield t
    finally: p.terminate(); p.wait(30)

def pages(site): return sorted(p.relative_to(site).as_posix() for p in site.glob('**/*.html'))

@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_pages_load(site, server, tab, scheme):
    "Every page: has a title and text, loads without an error, asks no other host"
    tab('Emulation.setDeviceMetricsOverride', width=1300, height=900, deviceScaleFactor=1, mobile=False)
    tab('Emulation.setEmulatedMedia', features=[dict(name='prefers-color-scheme', value=scheme)])
    bad = []
    for name in pages(site):
        bad += [f'{name}: {c}' for c in complaints(tab.open(f'{server}/{name}'))]
        if not tab.value('document.title.length > 0 && document.body.innerText.length > 50'): bad.append(f'{name}: empty')
        dark = tab.value('getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0,3).reduce((a,b) => a + +b, 0) < 384')
        if dark != (scheme == 'dark'): bad.append(f'{name}: not {scheme}')
    assert not bad

def test_pages_fit_a_phone(site, server, tab):
    "At 390 px width no page scrolls sideways"
    tab('Emulation.setDeviceMetricsOverride', width=390, height=844, deviceScaleFactor=2, mobile=True)
    wide = {}
    for name in pages(site):
        if name.startswith('source/'): continue
        tab.open(f'{server}/{name}')
        if (w := tab.value('document.documentElement.scrollWidth')) > 390: wide[name] = w
    assert not wide

def test_search_finds(site, server, tab):
    "Typing a word into the search box offers the pages that have it, with no server behind it"
    tab('Emulation.setDeviceMetricsOverride', width=1300, height=900, deviceScaleFactor=1, mobile=False)
    tab.open(f'{server}/index.html')
    tab.value("[...document.querySelectorAll('input[type=search], .navbar input')].find(o => o.offsetParent).focus()")
    tab('Input.insertText', text='settings.ini')
    found, end = '', time.time() + 10
    while 'settings.html' not in found and time.time() < end:
        time.sleep(.1)
        found = tab.value("[...document.querySelectorAll('a')].filter(o => o.offsetParent && o.closest('[class*=search]')).map(o => o.href).join(' ')")
    assert 'settings.html' in found
