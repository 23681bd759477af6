"The built site in a browser: every page loads by itself, in light, dark and on a phone, without errors or requests to other hosts."
import functools, http.server, subprocess, sys, threading
from pathlib import Path
import pytest
from browser import complaints

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root/'tools'))
from dev import check_site

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
    found = "[...document.querySelectorAll('a')].filter(o => o.offsetParent && o.closest('[class*=search]')).map(o => o.href).join(' ')"
    assert tab.until(f"{found}.includes('settings.html')", 10), tab.value(found)
