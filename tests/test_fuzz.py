"""Damaged files of every kind, made from good ones by a stated seed: no traceback, no lost row, no hang, a reason \
for each.
FAD_FUZZ=2000 asks for more cases (`make fuzz`), FAD_FUZZ_SEED for others. `python tests/test_fuzz.py CASE...` \
repeats cases and says what became of them."""
import contextlib, faulthandler, io, json, os, random, re, shutil, struct
import subprocess, sys, tempfile, threading, warnings, zipfile
from collections import Counter
from pathlib import Path

root = Path(__file__).resolve().parent.parent
CASES, SEED, LIMIT_S = int(os.environ.get('FAD_FUZZ', 200)), int(os.environ.get('FAD_FUZZ_SEED', 1)), 60
KINDS = dict(image=42, clip=18, manifest=14, settings=10, classifier=6, landmarker=2, run=8) # of a hundred cases

# ---- good files

def good_images():
    "Name -> bytes: a simulated face and a photograph in every format that Pillow writes here"
    from PIL import Image
    out = {'sim.jpg': (root/'data/simulated/noStroke_data/p0000_0.jpg').read_bytes()}
    face = Image.open(root/'data/photograph/collins.png').convert('RGB').resize((160, 160))
    for ext in ('jpg', 'png', 'gif', 'bmp', 'tif', 'webp', 'ppm', 'tga', 'jp2', 'avif', 'ico', 'pcx'):
        b = io.BytesIO()
        with contextlib.suppress(OSError, KeyError, ValueError):
            face.save(b, format=dict(jpg='jpeg', tif='tiff', jp2='jpeg2000').get(ext, ext),
                **(dict(exif=face.getexif()) if ext == 'jpg' else {}))
            out[f'face.{ext}'] = b.getvalue()
    return out

def good_clips():
    "Name -> bytes: ten frames of a simulated clip in several containers"
    import av
    from fad.faces.media import read_frames
    frames = [f[::2, ::2] for _, f in read_frames(root/'data/simulated/clips/c000.mp4', range(10))]
    out = {}
    for name, codec in (('a.mp4', 'libx264'), ('b.avi', 'mpeg4'), ('c.mkv', 'libx264'), ('d.mov', 'mpeg4'),
        ('e.webm', 'libvpx'), ('f.mpg', 'mpeg1video'), ('g.ts', 'mpeg2video'), ('h.wmv', 'wmv2')):
        with tempfile.TemporaryDirectory() as d, contextlib.suppress(av.FFmpegError, ValueError):
            with av.open(f'{d}/{name}', 'w') as c:
                s = c.add_stream(codec, rate=25)
                s.height, s.width, s.pix_fmt = *(n//2*2 for n in frames[0].shape[:2]), 'yuv420p'
                for f in frames: c.mux(s.encode(av.VideoFrame.from_ndarray(f[:s.height, :s.width].copy())))
                c.mux(s.encode(None))
            out[name] = Path(d, name).read_bytes()
    return out

MANIFEST = '''path,subject,label,palsy,side,frame,t_s,age,note
face.jpg,anna,stroke,central,left,,,71,"two words, and a comma"
sim.jpg,bert,non_stroke,none,,,,44,plain
./face.jpg,anna,stroke,central,left,0,0.0,71,again
a.mp4,carl,non_stroke,peripheral,right,3,,60,a frame
a.mp4,carl,non_stroke,peripheral,right,,0.2,60,a time
'''

def good_classifier():
    "Bytes of a small trained model"
    import numpy as np, pandas as pd
    from fad.faces.measures import FEATURES
    from fad.models.rules import CARD
    from fad.models.signals import save, train
    rng, n = np.random.default_rng(0), 90
    palsy = np.repeat(['none', 'central', 'peripheral'], n//3)
    t = pd.DataFrame(rng.normal(0, .01, (n, len(FEATURES))), columns=FEATURES)
    t[[*CARD]] += (np.where(palsy == 'none', 0, .04)*rng.choice([-1, 1], n))[:, None]
    t = t.assign(frame_id=[f'f{i}' for i in range(n)], subject=[f's{i}' for i in range(n)], source='x',
        label=np.where(palsy == 'central', 'stroke', 'non_stroke'), palsy=palsy, path='', t_s=np.nan, status='ok',
        face_hash='')
    with tempfile.TemporaryDirectory() as d, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        save(train(t, members=2), f'{d}/m.skops')
        return Path(d, 'm.skops').read_bytes()

def few_looks():
    "Settings with one look a photograph and two photographs a file of landmarks"
    from fad.settings import Settings, override
    return override(Settings(), **{'landmarks.repeats': 1, 'landmarks.shard_frames': 2})

def good_run(photos, folder):
    "Files of a small study, by their names: record, tables and landmarks of three photographs"
    from fad.app.study import study
    run = study(photos, folder/'run', few_looks(), 1, ['trend'], progress=False)
    return {p.name: p.read_bytes() for p in [*run.path.glob('*.*'), *run.shards]}

def make_seeds(folder):
    "Write the good files that cases are made from"
    from fad.faces.detector import model_file
    from fad.settings import to_ini
    images = good_images()
    (folder/'photos').mkdir(parents=True)
    for name in ('sim.jpg', 'face.jpg', 'face.png'): (folder/'photos'/name).write_bytes(images[name])
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        run = good_run(folder/'photos', folder.parent)
    for kind, files in dict(image=images, run=run, clip=good_clips(), manifest={'m.csv': MANIFEST.encode()},
        settings={'settings.ini': to_ini().encode()}, classifier={'m.skops': good_classifier()},
        landmarker={'l.task': model_file().read_bytes()}).items():
        (folder/kind).mkdir(parents=True)
        for name, b in files.items(): (folder/kind/name).write_bytes(b)

# ---- damage

ODD = [b'\0', b'\xff', b'"', b"'", b'\n', b'\r', b',', b';', b'\t', b'=cmd()', b'../', b'..\\', b'/etc/passwd',
    b'<script>', b'%s%n', b'nan', b'-1', b'1e309', b'9'*400, b'\xed\xa0\x80', b'\xe2\x80\xae', b'[', b']', b'[fad]',
    b'#', b'path', b'\xff\xfe']

def flip(r, b):
    for _ in range(r.choice((1, 2, 8, 64))):
        i = r.randrange(len(b)); b[i] ^= 1 << r.randrange(8)
def cut(r, b): del b[r.randrange(len(b)):]
def head(r, b):
    for _ in range(r.choice((1, 4))):
        i = r.randrange(min(len(b), r.choice((16, 64, 512))))
        b[i:i+4] = r.choice((b'\0\0\0\0', b'\xff\xff\xff\xff', b'\x7f\xff\xff\xff',
            struct.pack('>I', r.getrandbits(32))))
def blank(r, b):
    i = r.randrange(len(b)); n = min(len(b)-i, r.choice((4, 100, 5000))); b[i:i+n] = bytes([r.choice((0, 255))])*n
def splice(r, b):
    i, j = sorted(r.randrange(len(b)) for _ in (0, 1)); b[r.randrange(len(b)):0] = b[i:j][:100_000]
def grow(r, b): b += r.randbytes(r.choice((1, 1000)))
def word(r, b): i = r.randrange(len(b)); b[i:i+r.choice((0, 1, 5))] = r.choice(ODD)
def swap(r, b):
    lines = b.splitlines(keepends=True); r.shuffle(lines); b[:] = b''.join(lines)

def remade(r, b):
    "A zip whose members are damaged and whose sums are right again"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bytes(b))) as z, zipfile.ZipFile(out, 'w') as new:
        names = z.namelist()
        hurt = 'schema.json' if 'schema.json' in names and r.random() < .7 else r.choice(names)
        for n in names:
            data = bytearray(z.read(n))
            if n == hurt and data: r.choice((flip, cut, blank, word))(r, data)
            new.writestr(r.choice(('../'+n, n)) if n == hurt and r.random() < .1 else n, bytes(data))
    b[:] = out.getvalue()

def make_case(seeds, i, seed=SEED):
    "Kind, name and bytes of case `i`: the same for ever"
    r = random.Random(f'{seed}/{i}')
    kind = r.choices(list(KINDS), list(KINDS.values()))[0]
    good = r.choice(sorted((seeds/kind).iterdir()))
    b, name = bytearray(good.read_bytes()), good.name
    if kind in ('classifier', 'landmarker') and r.random() < .6: remade(r, b)
    else:
        for _ in range(r.choice((1, 1, 2, 4))):
            if b:
                r.choice((flip, word, word, cut, swap, grow) if kind in ('manifest', 'settings')
                    else (flip, flip, cut, head, head, blank, splice, grow))(r, b)
    if kind in ('image', 'clip') and r.random() < .15:
        name = f"{Path(name).stem}{r.choice(('.jpg', '.mp4', '.png', '', '.tif', '.avi', '.heic', '.xyz'))}"
    return kind, name, bytes(b), r.random() < .08

# ---- what must hold

def measured(df, settings):
    "Landmarks of a table: every row is there, with a status"
    from fad.faces.points import find_landmarks
    found = find_landmarks(df, settings, progress=False).df
    assert found.frame_id.tolist() == df.frame_id.tolist() and len(df), 'a lost row'
    assert found.status.map(lambda s: isinstance(s, str) and len(s) > 1).all(), 'no reason'
    assert not found.status.str.startswith('failed').any(), found.status[found.status.str.startswith('failed')].iloc[0]
    return found.status.str.split(':').str[0].value_counts().to_dict()

def try_table(path, s, folder):
    from fad.faces.cohort import CohortError, cohort
    from fad.runs.files import read_csv, write_csv
    try: df = cohort(path, s)
    except CohortError as e:
        assert Path(path).name in str(e), f'the file is not named: {e}'
        return str(e)
    write_csv(df, folder/'t.csv')
    back = read_csv(folder/'t.csv')
    assert back.frame_id.tolist() == df.frame_id.tolist(), 'the table does not come back from its file'
    assert df.frame_id.is_unique
    return measured(df, s)

def try_settings(path, s, folder):
    from fad.settings import SettingsError, load_settings
    try: load_settings(path)
    except SettingsError as e:
        assert Path(path).name in str(e), f'the file is not named: {e}'
        return str(e)
    return 'read'

def try_classifier(path, s, folder):
    from fad.models.rules import ClassifierError
    from fad.models.signals import load
    try: load(path)
    except ClassifierError as e:
        assert Path(path).name in str(e), f'the file is not named: {e}'
        return str(e)
    return 'read'

def try_landmarker(path, s, folder):
    import numpy as np
    from fad.faces.detector import ModelError, detect
    from fad.settings import override
    try: return f"{len(detect(np.zeros((64, 64, 3), np.uint8), override(s, **{'landmarks.model': str(path)})))} faces"
    except ModelError as e:
        assert Path(path).name in str(e), f'the file is not named: {e}'
        return str(e)

def _place(run, name): return run/'landmarks'/name if name.endswith('.parquet') else run/name

def try_run(path, s, folder):
    "A run with one damaged file: whoever reads it gets what was written or a reason; the same command heals it"
    from fad.app.study import findings, study
    from fad.runs.extract import Run, finished_run, summary
    from fad.settings import FadError
    seeds, run = folder/'seeds', Run(path.parent/'run')
    shutil.copytree(seeds/'run', run.path)
    (run.path/'landmarks').mkdir()
    for shard in run.path.glob('*.parquet'): shard.rename(_place(run.path, shard.name))
    path.replace(_place(run.path, path.name))
    good, said = {p.name: p.read_bytes() for p in (seeds/'run').glob('*.csv')}, 'read'
    try:
        finished_run(run.path)
        summary(run), findings(run), run.landmarks(), [run.table(Path(name).stem) for name in good]
    except FadError as e: said = str(e)
    try: again = study(seeds/'photos', run.path, few_looks(), 1, ['trend'], progress=False)
    except FadError as e:
        assert path.name == 'run.json' and str(run.path) in str(e), f'refused: {e}'
        return str(e)
    # the photographs lie elsewhere than when the seeds were made
    good, made = ({name: re.sub(rb'[^,\n]*photos/', b'', (at/name).read_bytes()) for name in good}
        for at in (seeds/'run', run.path))
    assert made == good, f"not healed: {[name for name in good if made[name] != good[name]]}"
    return f"{said} | healed: {'; '.join(again.notes)}"

def try_command(kind, path, folder):
    "The command line on the same file"
    from fad.app.cli import main
    args = ['extract', 'image.jpg', '--settings', path.name] if kind == 'settings' else ['extract', 'image.jpg',
        '--set', f'landmarks.model={path.name}'] if kind == 'landmarker' else ['predict', path.name,
        'image.jpg'] if kind == 'classifier' else ['extract', path.name]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.chdir(folder):
        status = main([*args, '--out', 'run', '--workers', '1', '--quiet', '--set', 'landmarks.repeats=1'])
    assert status in (0, 1, 2) and 'Traceback' not in said.getvalue(), (status, said.getvalue())
    if status == 2: assert said.getvalue().startswith(f'fad {args[0]}: '), said.getvalue()
    return f'exit {status}: {said.getvalue()[:200]}'

TRY = dict(image=try_table, clip=try_table, manifest=try_table, settings=try_settings, classifier=try_classifier,
    landmarker=try_landmarker, run=try_run)

def run_case(seeds, i):
    "What became of a case, in words; raises what a user would see as a traceback"
    from fad.settings import Settings, override
    kind, name, data, command = make_case(seeds, i)
    s = override(Settings(), **{'landmarks.repeats': 1})
    with tempfile.TemporaryDirectory() as d, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        folder = Path(d)/'in'
        folder.mkdir()
        for n in ('image/face.jpg', 'image/sim.jpg', 'clip/a.mp4') if kind == 'manifest' else ():
            shutil.copy(seeds/n, folder)
        (folder/name).write_bytes(data)
        if kind == 'run': shutil.copytree(seeds, Path(d)/'seeds', ignore=lambda at, names: [
            n for n in names if Path(at) == seeds and n not in ('run', 'photos')])
        before = sorted(os.listdir(d))
        said = str(TRY[kind](folder/name, s, Path(d)))
        if command and kind != 'run' or (kind, said) == ('classifier', 'read'): # what loads must also answer
            shutil.copy(seeds/'image/sim.jpg', folder/'image.jpg')
            said += ' | '+try_command(kind, folder/name, folder)
        assert set(os.listdir(d))-set(before) <= {'t.csv'}, 'wrote elsewhere'
    return f'{kind} {name}: {said}'

def work(seeds, cases):
    "Cases one after another; a line before and after each, for whoever watches"
    faulthandler.enable()
    out = os.fdopen(os.dup(1), 'w', buffering=1)
    os.dup2(2, 1)
    for i in cases:
        print(json.dumps(dict(start=i)), file=out)
        try: said, fault = run_case(seeds, i), None
        except BaseException as e:
            import traceback
            said, fault = ('', f"{make_case(seeds, i)[:2]} {type(e).__name__}: {e} at "
                f"{[f'{Path(f.filename).name}:{f.lineno}' for f in traceback.extract_tb(e.__traceback__)][-4:]}")
        print(json.dumps(dict(done=i, said=said[:300], fault=fault and fault[:600])), file=out)

def watch(seeds, cases, log, limit_s=LIMIT_S):
    """Run cases in child processes; one that dies or takes longer than the limit is a fault, and the next child
    goes on behind it"""
    todo, said, faults = list(cases), {}, {}
    while todo:
        with open(log, 'ab') as err:
            p = subprocess.Popen([sys.executable, __file__, 'work', str(seeds), json.dumps(todo)],
                stdout=subprocess.PIPE, stderr=err, text=True)
        at, hung = None, threading.Event()
        def kill():
            return (hung.set(), p.kill())
        timer = threading.Timer(3*limit_s, kill)
        timer.start()
        for line in p.stdout:
            timer.cancel()
            m = json.loads(line)
            if 'start' in m: at = m['start']
            else:
                todo.remove(m['done'])
                (faults if m['fault'] else said)[m['done']] = m['fault'] or m['said']
                at = None
            timer = threading.Timer(limit_s, kill)
            timer.start()
        timer.cancel()
        p.wait()
        if at is None and todo and p.returncode: faults[todo[0]] = f'the process did not start ({p.returncode})'; break
        if at is not None:
            todo.remove(at)
            faults[at] = (f"{make_case(seeds, at)[:2]} "
                f"{'took longer than '+str(limit_s)+' s' if hung.is_set() else f'killed its process ({p.returncode})'}")
    return said, faults

def counts(said, faults, seeds):
    "A line a kind of file: cases, what became of them, faults"
    lines = []
    for kind in KINDS:
        told = [s for s in said.values() if s.startswith(f'{kind} ')]
        ended = Counter(_ending(s.partition(': ')[2]) for s in told)
        lost = sum(make_case(seeds, i)[0] == kind for i in faults)
        lines.append(f"{kind}: {len(told)+lost} cases, {', '.join(f'{n} {what}' for what, n in ended.most_common())}, "
            f'{lost} faults')
    return '\n'.join(lines)

def _ending(said):
    "What became of a damaged file, in two words"
    if said.startswith('{'): return 'measured' if "'ok'" in said else 'given a row with a reason'
    if 'healed: ' in said: return 'read and nothing to heal' if said.endswith('healed: ') else 'healed'
    return 'read' if said.startswith('read') or said.endswith(' faces') else 'refused in words'

def test_damaged_files(tmp_path, capsys):
    "Every damaged file has a row or a reason, in time, and harms neither the process nor the table"
    make_seeds(tmp_path/'seeds')
    said, faults = watch(tmp_path/'seeds', range(CASES), tmp_path/'log')
    with capsys.disabled(): print('', counts(said, faults, tmp_path/'seeds'), sep='\n')
    assert not faults, '\n'.join(f'case {i} of seed {SEED}: {f}' for i, f in sorted(faults.items()))
    assert len(said) == CASES
    kinds = {k: [s for s in said.values() if s.startswith(k)] for k in KINDS}
    assert all(kinds.values()), 'a kind of file without a case'
    bad = sum("'ok'" not in s and ': read' not in s for s in said.values())
    assert bad > CASES/4, f'only {bad} files were damaged enough to be refused'

if __name__ == '__main__':
    if sys.argv[1:2] == ['work']: work(Path(sys.argv[2]), json.loads(sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory() as d:
            make_seeds(Path(d)/'seeds')
            said, faults = watch(Path(d)/'seeds', map(int, sys.argv[1:]), f'{d}/log')
            for i, s in sorted((said | faults).items()): print(i, 'FAULT' if i in faults else '', s)
            print(Path(d, 'log').read_text(errors='replace')[-3000:])
