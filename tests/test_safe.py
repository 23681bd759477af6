"""Files from strangers: their names don't run in a page, their archives and links reach nowhere, their models run
no code."""
import csv, io, json, os, pickle, re, shutil, warnings, zipfile
from pathlib import Path
import numpy as np, pytest
from browser import complaints
from test_fuzz import good_classifier

root = Path(__file__).resolve().parent.parent
NAMES = ['<img src=x onerror=pwned=1>', '"><svg onload=pwned=1>', "'onmouseover=pwned=1 '", '<script>pwned=1<',
    '&lt;script&gt;pwned=1', '{{7*7}}${pwned}', '[x](javascript:pwned=1)', '`x`|x|*x*', '\u202egpj.exe', 'a\nb']
CLIP = f'{NAMES[0]}clip.mp4'
HOSTILE = '</td></pre></style><script>pwned=1</script><img src=x onerror=pwned=1>'

@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    "A cohort whose file names, subjects, sources and other columns attack the reader; every page that fad makes of it"
    import matplotlib; matplotlib.use('Agg')
    from fad.models.cards import predict
    from fad.app.study import study
    from fad.app.report import write_report
    from fad.settings import Settings, override
    d = tmp_path_factory.mktemp('hostile')
    stills = sorted((root/'data/simulated').glob('*Stroke_data/*_0.jpg'))[:6]
    stills += sorted((root/'data/simulated/stroke_data').glob('*_0.jpg'))[:6]
    with open(d/'m.csv', 'w', newline='', encoding='utf-8') as f:
        w = csv.writer(f)
        w.writerow(['path', 'frame_id', 'subject', 'source', 'label', 'palsy', 'expression', 'skin', HOSTILE])
        for i, p in enumerate(stills):
            name = f'{NAMES[i%len(NAMES)]}{i}.jpg'
            shutil.copy(p, d/name)
            w.writerow([name, (name, '../../../escaped', '/escaped', 'C:\\escaped', HOSTILE)[i%5]+str(i),
                f'{HOSTILE}{i}', HOSTILE, 'stroke' if 'noStroke' not in str(p) else 'non_stroke', '', HOSTILE, HOSTILE,
                HOSTILE])
        shutil.copy(next((root/'data/simulated').rglob('*.mp4')), d/CLIP)
        w.writerow([CLIP, f'../{HOSTILE}', f'{HOSTILE}clip', HOSTILE, 'stroke', 'central', '', HOSTILE, HOSTILE])
        w.writerow([f'{HOSTILE}.jpg', '', 'gone', HOSTILE, HOSTILE, HOSTILE, '', '', ''])
    (d/'model.skops').write_bytes(good_classifier())
    s = override(Settings(), **{'landmarks.repeats': 1})
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        run = study(d/'m.csv', d/'out'/'run', s, 1, ['audit', 'compare', 'trend'], progress=False)
        predict(run, d/'model.skops', settings=s, progress=False)
        from fad.runs.extract import draw_figures
        draw_figures(run, run.table('facial_asymmetry_functional'), 3, s)
        (run.path/'model_card.md').write_text(f'# {HOSTILE}\n\n[x](javascript:pwned=1) ![x](x" onerror="pwned=1)\n\n| '
            f'{HOSTILE} | b |\n|---|---|\n| {HOSTILE} | **{HOSTILE}** |\n\n- {HOSTILE}\n', encoding='utf-8')
        write_report(run)
        (d/'landmarks.html').write_text(run.landmarks()._repr_html_(), encoding='utf-8')
    return d, run

def test_nothing_is_written_outside(pages):
    "frame_ids that are paths leave no file outside of the run's folder"
    d, run = pages
    assert {p.name for p in d.iterdir()} == {'m.csv', 'model.skops', 'out', 'landmarks.html', CLIP,
        *(f'{NAMES[i%len(NAMES)]}{i}.jpg' for i in range(12))}
    assert [p.name for p in (d/'out').iterdir()] == ['run']
    assert not [*Path(d.anchor).glob('escaped*'), *d.parent.glob('escaped*')]
    cohort = run.table('cohort')
    assert cohort.t_s.isna().sum() == 13 and cohort.t_s.notna().sum() > 10
    assert len(list((run.path/'temporal').glob('*.png'))) == 1

def test_names_do_not_run(pages, tab):
    """No script, handler or link of a name is alive in a page, also without the page's own policy against scripts;
    the names are there to be read"""
    d, run = pages
    made = [d/'landmarks.html', *sorted(run.path.rglob('*.html'))]
    assert {'report.html', 'shortcut_audit.html'} <= {p.name for p in made} and len(made) > 10
    (d/'control.html').write_text(f'<!doctype html><link rel="icon" href="data:,"><p>{HOSTILE}</p>', encoding='utf-8')
    tab('Page.setBypassCSP', enabled=True)
    bad, read = [], 0
    try:
        tab.open((d/'control.html').as_uri())
        assert tab.value('pwned') == 1, 'the attack would work in no page'
        for p in made:
            events = tab.open(p.as_uri())
            bad += [f'{p.name}: {c}' for c in complaints(events)
                if not (c.startswith('request to another host: file:') and c.endswith(p.as_uri().rpartition('/')[2]))]
            bad += [f'{p.name}: a dialog'] if any(e['method'] == 'Page.javascriptDialogOpening' for e in events) else []
            alive = tab.value("""JSON.stringify([typeof pwned !== 'undefined', document.querySelectorAll('script, \
iframe, object, embed, base, form').length,
                [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/i.test(a.name) || \
/^(href|src|action|xlink:href)$/i.test(a.name) && /^\\s*javascript:/i.test(a.value))).length,
                [...document.images].filter(i => !i.src.startsWith('data:')).length])""")
            if json.loads(alive) != [False, 0, 0, 0]: bad.append(f'{p.name}: alive {alive}')
            read += tab.value("document.body.innerText.includes('pwned')")
    finally:
        tab('Page.setBypassCSP', enabled=False)
        (d/'control.html').unlink()
    assert not bad
    assert read > 5, 'the hostile names are in no page: nothing was tested'

def test_pages_forbid_scripts(pages):
    "The pages say so themselves, should a name ever slip through"
    for name in ('report.html', 'shortcut_audit.html'):
        assert "default-src 'none'" in (pages[1].path/name).read_text(encoding='utf-8')

# ---- models

def refused(path, error, load):
    with pytest.raises(error) as e: load(path)
    assert path.name in str(e.value)
    return str(e.value)

class Payload:
    "What unpickling would run"
    def __init__(self, mark): self.mark = mark
    def __reduce__(self): return os.mkdir, (str(self.mark),)

def altered(model, change):
    "A classifier file with a changed schema or changed members"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(model)) as z, zipfile.ZipFile(out, 'w') as new:
        for n in z.namelist():
            for name, data in change(n, z.read(n)): new.writestr(name, data)
    return out.getvalue()

def test_models_run_no_code(tmp_path):
    """Pickles under another name, functions and objects of other kinds, arrays of pickled objects: refused, and
    nothing ran"""
    import skops.io
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from fad.models.rules import ClassifierError
    from fad.models.signals import load
    mark, good = tmp_path/'ran', good_classifier()
    npy = io.BytesIO(); np.save(npy, np.array([Payload(mark)], object), allow_pickle=True)
    def skops_of(o):
        return skops.io.dumps(o)
    def schema(edit):
        return altered(good, lambda n, b: [(n, edit(b.decode()).encode() if n == 'schema.json' else b)])
    evil = dict(pickled=pickle.dumps(Payload(mark)),
        command=skops_of(dict(tasks=make_pipeline(FunctionTransformer(os.mkdir)), identity=str(mark))),
        evaluated=skops_of(FunctionTransformer(eval)),
        renamed=schema(lambda t: t.replace('"signed_log"', '"system"').replace('"fad.models.monotone"', '"os"')),
        odd_class=schema(lambda t: t.replace('MonotoneLogit', 'Popen').replace('"fad.models.monotone"',
            '"subprocess"')),
        objects=altered(good, lambda n, b: [(n, npy.getvalue() if n.endswith('.npy') else b)]),
        slip=altered(good, lambda n, b: [('../../'+n if n.endswith('.npy') else n, b)]),
        no_keys=skops_of(dict(identity='{}')), a_list=skops_of([1, 2]), empty=b'',
        unnamed=altered(good, lambda n, b: [(n, b)]+([('../evil', b'\0'*10_000_000)] if n == 'schema.json' else [])))
    for name, data in evil.items():
        p = tmp_path/f'{name}.skops'
        p.write_bytes(data)
        if name == 'unnamed': load(p); continue # a member that the model doesn't speak of is not unpacked
        refused(p, ClassifierError, load)
    assert not mark.exists() and {p.suffix for p in tmp_path.iterdir()} == {'.skops'}

def test_networks_run_no_code(tmp_path):
    "A network is safetensors: a pickled checkpoint under that name is refused"
    torch = pytest.importorskip('torch')
    from fad.shortcuts.networks import CnnError, load_net
    mark = tmp_path/'ran'
    torch.save(Payload(mark), tmp_path/'a.safetensors')
    (tmp_path/'b.safetensors').write_bytes(pickle.dumps(Payload(mark)))
    for p in sorted(tmp_path.glob('*.safetensors')): refused(p, CnnError, load_net)
    assert not mark.exists()

RISKY = re.compile(r'\b(?:import|from) '
    r'(?:pickle|marshal|shelve|dill)\b|torch\.load\(|joblib\.load|allow_pickle=True|(?<![.\w])(?:eval|exec)\('
    r'|os\.system|shell=True|yaml\.(?:unsafe_)?load\(|(?<!\bstr)\.extract(?:all)?\(|read_pickle')

def risky_calls(top):
    "Calls that could run what they read, in any module below a folder"
    return [f'{p.name}: {m[0]}' for p in top.rglob('*.py') for m in RISKY.finditer(p.read_text(encoding='utf-8'))
        if p.name != '_modidx.py']

def test_no_way_to_run_code(tmp_path):
    "The package holds no call that could run what it reads, and unpacks no archive"
    (tmp_path/'models').mkdir()
    (tmp_path/'models'/'planted.py').write_text('import pickle\n')
    assert risky_calls(tmp_path) == ['planted.py: import pickle']
    assert len(list((root/'fad').rglob('*.py'))) > 50 and not risky_calls(root/'fad')

# ---- links and paths

def test_links_and_dots(tmp_path):
    """A link out of a cohort's folder is named and not followed, to a file, a folder or through a chain; a manifest
    may name what it likes, and its ids stay plain"""
    from fad.faces.cohort import cohort
    secret = tmp_path/'secret'
    secret.mkdir()
    still = next((root/'data/simulated/noStroke_data').glob('*.jpg'))
    for to in (secret/'private.jpg', tmp_path/'in'/'a'/'mine.jpg'):
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(still, to)
    d = tmp_path/'in'
    (d/'out.jpg').symlink_to('../secret/private.jpg')
    (d/'abs.jpg').symlink_to(secret/'private.jpg')
    (d/'chain.jpg').symlink_to('out.jpg')
    (d/'far').symlink_to(secret)
    (d/'near.jpg').symlink_to('a/mine.jpg')
    (d/'up').symlink_to('..')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        df = cohort(d)
        status = df.set_index('frame_id').status
        assert status[['a/mine.jpg', 'near.jpg']].eq('ok').all() and len(status) == 5
        assert status[['out.jpg', 'abs.jpg', 'chain.jpg']].str.contains('leads out of the folder').all()
        assert "folder 'far' is a link that leads out" in ' '.join(df.attrs['notes'])
        (d/'m.csv').write_text('path\n../secret/private.jpg\na/../../secret/private.jpg\na/mine.jpg\n')
        assert cohort(d/'m.csv').status.eq('ok').all()

def test_settings_and_manifests_are_data(tmp_path):
    "Neither a settings file nor a manifest reads other files or names of the environment"
    from fad.settings import SettingsError, load_settings
    for text in ('[fad]\nschema = 1\n[landmarks]\nrepeats = %(HOME)s\n',
        '[fad]\nschema = 1\n[study]\nseed = ${study:seed}\n',
        '[fad]\nschema = 1\n[study]\nseed = __import__("os").getpid()\n'):
        (tmp_path/'settings.ini').write_text(text)
        with pytest.raises(SettingsError): load_settings(tmp_path/'settings.ini')
