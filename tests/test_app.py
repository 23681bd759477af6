"""`fad app` as somebody meets it: started as a command, opened in a browser, with photos, a clip and a text file
dropped on it."""
import base64, contextlib, json, os, shutil, signal, socket, subprocess, sys, time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
import pytest
from browser import complaints

root = Path(__file__).resolve().parent.parent
PORTRAIT, LATER = (root/f'data/photograph/{name}.png' for name in ('collins', 'collins_droop_left_8mm'))
CLIP = root/'data/simulated/clips/c001.mp4' # a weakness that comes after 3.4 s
COMMAND = [sys.executable, '-c', 'from fad.app.cli import command; command()', 'app', '--port', '0',
    '--no-browser', '--quiet']

def hears():
    "Ctrl-C is heard, if these tests run in the background too, where a shell has it ignored"
    signal.signal(signal.SIGINT, signal.default_int_handler)

@contextlib.contextmanager
def started(top, *options):
    "A server of its own: its process, its address and the folder in which it keeps what is temporary"
    pytest.importorskip('voila', reason='no Voilà here: pip install "facial-asymmetry[app]"')
    kept = top/'t'
    kept.mkdir(exist_ok=True)
    env = os.environ | dict(TMPDIR=str(kept), HOME=str(top/'home'), PYTHONPATH=str(root))
    with open(top/'log', 'w') as log:
        p = subprocess.Popen([*COMMAND, *options], cwd=top, env=env, stdout=subprocess.PIPE, stderr=log, text=True,
            preexec_fn=hears if os.name == 'posix' else None)
    try:
        address = p.stdout.readline().strip()
        assert address.startswith('http://127.0.0.1:') and '?token=' in address, (top/'log').read_text()
        yield p, address, kept
    finally:
        p.terminate()
        try: p.wait(30)
        except subprocess.TimeoutExpired: p.kill()

@pytest.fixture(scope='module')
def app(tmp_path_factory, tab):
    "The page, open in a browser"
    top = tmp_path_factory.mktemp('app')
    with started(top, '--set', 'work.page_mb=2') as (p, address, kept):
        tab('Emulation.setDeviceMetricsOverride', width=390, height=800, deviceScaleFactor=1, mobile=False)
        tab.open(address, 60)
        assert tab.until("!!document.querySelector('.zone')", 60), (top/'log').read_text()
        yield p, address, kept, top
        assert 'Traceback' not in (top/'log').read_text()

def drop(tab, *paths, wait=60):
    "Drop files as a hand does it; what the page says when it is done, and the text of its answer"
    files = [[Path(p).name, base64.b64encode(Path(p).read_bytes()).decode()] for p in paths]
    tab.value("""(files => {
        const data = new DataTransfer()
        for (const [name, text] of files)
            data.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name))
        document.querySelector('.zone').dispatchEvent(
            new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
    })(%s)""" % json.dumps(files))
    return answered(tab, wait)

def answered(tab, wait=60):
    "What the page says when it is done, and the text of its answer"
    app = "document.querySelector('.fad-app')"
    assert tab.until(f"!{app}.dataset.busy && {app}.querySelector('.answer').hidden || "
        f"!{app}.dataset.busy && {app}.querySelector('iframe')?.contentDocument?.readyState == 'complete'", wait)
    time.sleep(.2)
    said, frame = tab.value(f"{app}.querySelector('.said').textContent"), f"{app}.querySelector('iframe')"
    # on a phone neither the page nor the answer scrolls sideways
    wide = f"Math.max(document.documentElement.scrollWidth, {frame}?.contentDocument.documentElement.scrollWidth ?? 0)"
    assert tab.value(wide) <= 390
    shown = tab.value(f"{app}.querySelector('.answer').hidden ? '' : "
        f"{frame}.contentDocument.body.textContent")
    return said, shown.replace('\xa0', ' ')

def refused(url):
    with pytest.raises(HTTPError) as e: urlopen(url)
    return e.value.code, e.value.read().decode()

def test_only_with_the_token(app):
    "Without it, or with another, there is a sentence and no page; kernels and files are closed as well"
    place = app[1].partition('?')[0]
    for url in (place, f'{place}?token=wrong'):
        code, said = refused(url)
        assert code == 403 and 'needs its token' in said and 'https://' not in said
    assert refused(f'{place}api/kernels/00000000-0000-0000-0000-000000000000')[0] in (403, 404)
    assert refused(f'{place}voila/files/fad.ipynb')[0] == 403
    # a page of another name that points here
    assert refused(Request(app[1], headers={'Host': 'example.org'}))[0] == 403

def test_only_this_machine(app):
    "It listens on 127.0.0.1 and nowhere else"
    import psutil
    port = int(app[1].partition('?')[0].rstrip('/').rpartition(':')[2])
    at = [c.laddr for c in psutil.Process(app[0].pid).net_connections('inet') if c.status == psutil.CONN_LISTEN]
    assert (('127.0.0.1', port) in at) and {a.ip for a in at} == {'127.0.0.1'}
    with socket.socket() as one: assert one.connect_ex(('127.0.0.2', port)) != 0

def test_a_photo(app, tab):
    "The measure that the library gives, the signal that the shipped model gives, whose model it is, and no diagnosis"
    import fad
    from fad.faces.measures import PUPILS_MM
    said, shown = drop(tab, PORTRAIT)
    own, judged = (f(PORTRAIT, progress=False).iloc[0] for f in (fad.measure, fad.predict))
    for name in ('mouth_corner_height', 'eye_opening', 'nasolabial', 'brow_height'):
        assert f'{own[name]*PUPILS_MM:+z.1f} ± {1.96*own[name+"_se"]*PUPILS_MM:.1f}' in shown, name
    assert f'weakness signal {judged.weakness:.2f} ({judged.weakness_low:.2f} to {judged.weakness_high:.2f})' in said
    assert shown.strip().startswith('Judged by a model that learned on 300 simulated people')
    assert 'never a diagnosis' in shown and 'within ±' in shown

def test_save(app, tab):
    "Card and table are saved by a button, from what the browser has; nothing is asked of the server"
    tab.value("""globalThis.kept = []; const make = URL.createObjectURL
        URL.createObjectURL = blob => { kept.push(blob); return make.call(URL, blob) }; 0""")
    names = tab.value("""(() => { const names = []
        HTMLAnchorElement.prototype.click = function () { names.push(this.download) }
        document.querySelectorAll('.saves button').forEach(button => button.click()); return names })()""")
    assert names == ['collins_card.html', 'collins_measures.csv']
    texts = [tab('Runtime.evaluate', expression=f'kept[{i}].text()', awaitPromise=True, returnByValue=True)['result']
        ['value'] for i in range(2)]
    assert texts[0].startswith('<!doctype html>') and "default-src 'none'" in texts[0]
    assert texts[1].startswith('frame_id,') and len(texts[1].splitlines()) == 2 and str(app[2]) not in ''.join(texts)

def test_two_photos(app, tab):
    "What changed between them, as `fad.change` says it; the other way round by a button"
    import fad
    found = fad.change(PORTRAIT, LATER, progress=False).table
    row = found[found.question.astype(bool)].iloc[0]
    said, shown = drop(tab, PORTRAIT, LATER)
    assert f'changed by {row.change_mm:+.1f} mm' in said and 'left corner lower than before' in said
    assert shown.count('weakness signal') == 2 and 'Taken as one person: collins.png before' in shown
    tab.value("document.querySelector('.swap').click()")
    assert tab.until("!document.querySelector('.fad-app').dataset.busy && "
        "document.querySelector('.said').textContent.includes('left corner higher than before')", 30)

def test_a_clip(app, tab):
    "Curves, and the weakness that comes"
    said, shown = drop(tab, CLIP, wait=120)
    assert 'left corner lower' in said and 'Events' in shown and 'frames followed' in shown
    assert tab.value("document.querySelector('iframe').contentDocument.querySelectorAll('figure img').length") == 1

def test_what_cannot_be_used(app, tab, tmp_path):
    "A text file, a damaged one, one without a face, one too large: named, with the reason and what helps; it goes on"
    (tmp_path/'notes.txt').write_text('no picture')
    (tmp_path/'torn.png').write_bytes(PORTRAIT.read_bytes()[:5000])
    (tmp_path/'large.jpg').write_bytes(bytes(3*2**20))
    from PIL import Image
    Image.new('RGB', (300, 300), 'gray').save(tmp_path/'wall.jpg')
    for name, reason, advice in (('notes.txt', 'neither a photo nor a clip', 'Drop a photo'),
        ('torn.png', 'truncated', 'save it as JPEG'), ('wall.jpg', 'no face was found', 'the whole face'),
        ('large.jpg', 'over the limit of 2 MB', 'Save it smaller')):
        said, shown = drop(tab, tmp_path/name)
        assert said.startswith(f'{name}: ') and reason in said and advice in said and not shown, said
    said, shown = drop(tab, tmp_path/'notes.txt', PORTRAIT)
    assert 'notes.txt: neither' in shown and 'weakness signal' in said

def test_names_do_not_run(app, tab, tmp_path):
    "The name of a file is text wherever it stands"
    odd = tmp_path/'<img src=x onerror=pwned=1>.png'
    shutil.copy(PORTRAIT, odd)
    said, shown = drop(tab, odd)
    assert 'weakness signal' in said and tab.value("typeof pwned") == 'undefined'
    inside = "document.querySelector('iframe').contentDocument"
    assert tab.value(f"{inside}.querySelectorAll('script, img:not([src^=\"data:\"])').length") == 0
    assert tab.value("document.querySelector('iframe').getAttribute('sandbox')") == 'allow-same-origin'

def test_a_keyboard_is_enough(app, tab):
    "The first Tab reaches the button that chooses files, and it shows; all controls have names"
    tab.value("document.activeElement.blur(); window.scrollTo(0, 0)")
    for kind in ('rawKeyDown', 'keyUp'):
        tab('Input.dispatchKeyEvent', type=kind, key='Tab', code='Tab', windowsVirtualKeyCode=9)
    at = "document.activeElement"
    assert tab.value(f"{at}.className") == 'choose' and tab.value(f"getComputedStyle({at}).outlineStyle") == 'solid'
    assert tab.value("[...document.querySelectorAll('.fad-app button, .fad-app select')].filter(o => "
        "!(o.labels?.[0] ?? o).textContent.trim()).length") == 0

def test_accessible(app, tab):
    "axe finds nothing wrong in the page, nor in its answer"
    axe_core = pytest.importorskip('axe_core_python')
    tab.value((Path(axe_core.__file__).parent/'axe.min.js').read_text(encoding='utf-8')+'; 0')
    found = tab('Runtime.evaluate', awaitPromise=True, returnByValue=True, expression="axe.run('.fad-app').then(r => "
        "r.violations.map(v => v.id+' '+v.nodes[0].html.slice(0, 200)))")['result']['value']
    assert not found

def test_no_other_host(app, tab):
    "In all of the above no other host was asked for anything, and the console is quiet"
    assert not list(complaints(tab.events))

def test_nothing_stays(app, tab):
    "A closed page ends its kernel and takes its files along; an ended server leaves nothing"
    p, _, kept, top = app
    assert list(kept.rglob('*.png'))
    tab.open('about:blank')
    end = time.time()+20
    while list(kept.rglob('*.png')) and time.time() < end: time.sleep(.2)
    assert not list(kept.rglob('*.png'))
    p.send_signal(signal.SIGTERM)
    assert p.wait(30) == 0 and not list(kept.iterdir())
    assert {o.name for o in top.iterdir()} <= {'t', 'log', 'home'}
    left = [o for o in (top/'home').rglob('*') if o.is_file() and 'matplotlib' not in o.parts] # its list of fonts
    assert not left

def test_ctrl_c(tmp_path):
    "Ctrl-C ends it before anybody came, and the address alone was printed"
    with started(tmp_path) as (p, _, kept):
        p.send_signal(signal.SIGINT)
        assert p.wait(30) == 0 and p.stdout.read() == '' and not list(kept.iterdir())

def test_what_a_killed_server_left(tmp_path):
    "A server that was killed could not clear its folder: the next one does"
    with started(tmp_path) as (p, _, kept):
        p.kill()
        p.wait()
        left = list(kept.iterdir())
        with started(tmp_path): now = list(kept.iterdir())
    assert len(left) == 1 and len(now) == 1 and now != left and not list(kept.iterdir())

def test_without_voila(tmp_path):
    "Where the extra is missing, the command names it"
    code = "import sys; sys.modules['voila'] = None; from fad.app.cli import main; sys.exit(main(['app']))"
    r = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, env=os.environ | dict(PYTHONPATH=str(root)),
        capture_output=True, text=True)
    assert r.returncode == 1 and "pip install 'facial-asymmetry[app]'" in r.stderr and 'Traceback' not in r.stderr
