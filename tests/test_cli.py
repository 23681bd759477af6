"The command `fad` as a user meets it: bad input, killed and resumed, one process or two."
import csv, json, os, re, shutil, signal, subprocess, sys, time
from pathlib import Path
import pytest
from PIL import Image
from skimage.data import astronaut
from corpus import make_corpus

FAD = [sys.executable, '-c', 'from fad.app.cli import command; command()']
TABLES = ('facial_asymmetry_functional.csv', 'facial_asymmetry_symmetry.csv', 'quality.csv', 'cohort.csv')

def fad(*args, cwd): return subprocess.run([*FAD, *map(str, args)], cwd=cwd, capture_output=True, text=True)

def tables(run): return {n: (run/n).read_bytes() for n in TABLES}

def rows(path):
    with open(path, encoding='utf-8', newline='') as f: return list(csv.DictReader(f))

@pytest.fixture(scope='module')
def corpus(tmp_path_factory):
    "The bad-input corpus, measured by one process: folder, what is expected, what the command said"
    d = tmp_path_factory.mktemp('corpus')
    want = make_corpus(d/'in')
    return d, want, fad('extract', 'in', '--out', 'run', '--workers', 1, '--quiet', cwd=d)

def test_every_file_has_a_row_and_a_reason(corpus):
    "Nothing is lost, every reason is named, the exit status is 1, and no library writes to the terminal"
    d, want, done = corpus
    got = {}
    for r in rows(d/'run'/TABLES[0]):
        p = re.sub(r"^'(?=[=+\-@])", '', r['path']).removeprefix('in/')
        got.setdefault(p, r['status'])
    assert done.returncode == 1 and done.stdout == ''
    assert not {k: got.get(k) for k, v in want.items() if not (got.get(k)
        or '').startswith(v)} and got.keys() == want.keys()
    assert 'Traceback' not in done.stderr and not re.search(r'^(W0|I0|INFO|WARNING)', done.stderr, re.M)
    failed = {k for k, v in want.items() if v != 'ok'}
    assert f'{len(failed)} not' in done.stderr

def test_rows_in_rows_out(corpus):
    "The four tables speak of the same frames in the same order, and unmeasured frames hold no invented value"
    d = corpus[0]
    ids = [[r['frame_id'] for r in rows(d/'run'/n)] for n in TABLES]
    assert ids[0] == ids[1] == ids[2] == ids[3]
    assert all((r['status'] == 'ok') == bool(r['mouth_tilt_deg']) for r in rows(d/'run'/TABLES[0]))

def test_no_cell_of_text_becomes_a_formula(corpus):
    "A spreadsheet that opens the tables meets no text that begins like a formula"
    for n in TABLES:
        for r in rows(corpus[0]/'run'/n):
            assert not [k for k in ('frame_id', 'subject', 'source', 'label', 'palsy', 'path', 'status', 'reasons')
                if (r.get(k) or '')[:1] in ('=', '+', '-', '@', '\t', '\r')]

def test_two_processes_give_the_same_bytes(corpus):
    d = corpus[0]
    assert fad('extract', 'in', '--out', 'run2', '--workers', 2, '--quiet', '--set', 'landmarks.shard_frames=64',
        cwd=d).returncode == 1
    assert tables(d/'run2') == tables(d/'run')

def test_a_run_of_something_else_is_refused(corpus):
    "Other settings, another cohort, a folder that is no run: exit status 2, the reason, nothing touched"
    d = corpus[0]
    before = tables(d/'run')
    for args, said in ((('in', '--set', 'landmarks.repeats=4'), 'landmarks.repeats: 2 then, 4 now'),
        (('in/same',), 'the files, or what is said of them changed'),
        (('in/same', '--set', 'landmarks.repeat=2'), 'did you mean')):
        done = fad('extract', *args, '--out', 'run', cwd=d)
        assert done.returncode == 2 and said in done.stderr and 'Traceback' not in done.stderr
    done = fad('extract', 'in/same', '--out', 'in', cwd=d)
    assert done.returncode == 2 and 'run.json' in done.stderr
    assert tables(d/'run') == before

@pytest.fixture(scope='module')
def portraits(tmp_path_factory):
    "Twelve copies of a portrait and a clip, measured without interruption"
    d = tmp_path_factory.mktemp('portraits')
    (d/'in').mkdir()
    face = Image.fromarray(astronaut()).crop((100, 0, 356, 256))
    for i in range(12): face.rotate(i-6).save(d/'in'/f'{i:02d}.jpg')
    from corpus import _clip
    _clip(d/'in'/'clip.mp4', face, 40)
    assert fad('extract', 'in', '--out', 'whole', '--workers', 1, '--quiet', *SMALL, cwd=d).returncode == 0
    return d

SMALL = ('--set', 'landmarks.shard_frames=1', '--set', 'video.segment_s=1')

@pytest.mark.parametrize('shards', (1, 5, 11))
def test_killed_and_resumed(portraits, shards):
    "kill -9 after some shards, the same command again: the same bytes, and what was done is not done again"
    d, run = portraits, portraits/f'killed{shards}'
    command = ['extract', 'in', '--out', run.name, '--workers', '1', '--quiet', *SMALL]
    p = subprocess.Popen([*FAD, *command], cwd=d, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.time()+60
    while len(list(run.glob('landmarks/*.parquet'))) < shards and p.poll() is None and time.time() < until:
        time.sleep(.005)
    p.send_signal(signal.SIGKILL); p.wait()
    kept = {q: q.stat().st_mtime_ns for q in run.glob('landmarks/*.parquet')}
    assert kept and not (run/TABLES[0]).exists()
    assert fad(*command, cwd=d).returncode == 0
    assert tables(run) == tables(d/'whole')
    assert all(q.stat().st_mtime_ns == t for q, t in kept.items()) and not list(run.rglob('*.part'))

def test_a_plain_script_needs_no_main_guard(portraits):
    "Two processes from a script without `if __name__ == '__main__'`"
    (portraits/'script.py').write_text("from fad.runs.extract import extract\nprint(len(extract('in', 'scripted', "
        "workers=2, progress=False).table('quality')))\n")
    done = subprocess.run([sys.executable, '-W', 'ignore', 'script.py'], cwd=portraits, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, '32\n') and done.stderr == ''

def test_an_unwritable_run_folder(portraits):
    "A run folder below a file: a reason, no traceback"
    (portraits/'file').write_text('')
    done = fad('extract', 'in', '--out', 'file/run', cwd=portraits)
    assert done.returncode == 2 and done.stderr.startswith('fad extract: file is a file, not a folder')

def test_names_of_another_encoding(portraits):
    "Names that are not UTF-8: a sentence for a run folder, a row with its reason for faces below one"
    done = fad('extract', 'in', '--out', os.fsdecode(b'M\xfcller/run'), cwd=portraits)
    assert done.returncode == 2 and 'has to be UTF-8' in done.stderr and 'Traceback' not in done.stderr
    try: shutil.copytree(portraits/'in', portraits/os.fsdecode(b'J\xfcrgen'))
    except OSError: pytest.skip('this disk takes only names in UTF-8')
    done = fad('study', os.fsdecode(b'J\xfcrgen'), '--out', 'juergen', '--phases', 'compare, trend', cwd=portraits)
    assert done.returncode == 1 and 'not UTF-8' in done.stdout and 'Traceback' not in done.stderr

def test_quiet_still_names_failures(portraits):
    "Nothing on the terminal but what went wrong"
    (portraits/'odd').mkdir()
    (portraits/'odd'/'letter.jpg').write_text('Dear colleague,')
    shutil.copy(next((portraits/'in').glob('*.jpg')), portraits/'odd')
    (portraits/'empty.mp4').write_bytes(b'')
    for args, said in ((('study', 'odd', '--out', 'odd_run', '--phases', 'compare'), 'letter.jpg'),
        (('trend', 'empty.mp4', '--out', 'empty_run'), 'empty file (0 bytes)')):
        done = fad(*args, '--quiet', cwd=portraits)
        assert (done.returncode, done.stdout) == (1,
            '') and said in done.stderr and 'Traceback' not in done.stderr, done.stderr

def test_another_folder_another_path(portraits):
    "Resumed from another working directory, all tables name the files as they were typed there"
    (portraits/'sub').mkdir()
    shutil.copytree(portraits/'whole', portraits/'moved')
    assert fad('extract', '../in', '--out', '../moved', '--quiet', *SMALL, cwd=portraits/'sub').returncode == 0
    assert {r['path'].split('/')[0] for n in TABLES if n != 'quality.csv' for r in rows(portraits/'moved'/n)} == {'..'}

def test_wrong_numbers_of_workers(portraits):
    for n in ('-1', 'two'):
        done = fad('extract', 'in', '--out', 'never', '--workers', n, cwd=portraits)
        assert done.returncode == 2 and 'a whole number from 0 on is wanted' in done.stderr
    assert not (portraits/'never').exists()

def test_a_run_inside_its_input_is_refused(portraits):
    done = fad('extract', 'in', '--out', 'in/run', cwd=portraits)
    assert done.returncode == 2 and 'lies inside in' in done.stderr and not (portraits/'in'/'run').exists()

@pytest.fixture(scope='module')
def studies(tmp_path_factory):
    """A labelled folder with a clip studied twice: at one go; and without thumbnails, killed with -9 in every
    phase, each time taken up again"""
    d = tmp_path_factory.mktemp('studies')
    face = Image.fromarray(astronaut()).crop((100, 0, 356, 256))
    for i in range(10):
        to = d/'in'/('stroke' if i % 2 else 'normal')/f'{i}.jpg'
        to.parent.mkdir(parents=True, exist_ok=True)
        face.rotate(i-5).resize((256+6*i, 256+6*i)).save(to)
    from corpus import _clip
    _clip(d/'in'/'normal'/'clip.mp4', face, 40)
    command, kept = ('study', 'in', '--phases', 'audit,compare,trend', '--workers', '1', '--set',
        'landmarks.repeats=1'), {}
    whole = fad(*command, '--out', 'whole', cwd=d)
    for phase in ('audit', 'compare', 'trend'):
        with open(d/'said', 'w') as said:
            p = subprocess.Popen([*FAD, *command, '--out', 'killed', '--no-thumbnails'], cwd=d,
                stdout=subprocess.DEVNULL, stderr=said)
        until = time.time()+120
        while f'of 4 {phase}' not in (d/'said').read_text() and p.poll() is None and time.time() < until:
            time.sleep(.005)
        p.send_signal(signal.SIGKILL); p.wait()
        kept[phase] = (set(json.loads((d/'killed/study.json').read_text())['phases'])
            if (d/'killed/study.json').exists() else set())
    return d, whole, kept, fad(*command, '--out', 'killed', '--no-thumbnails', cwd=d)

def test_a_study_killed_and_resumed(studies):
    """Killed in each of its phases, the same command goes on after the last one finished: the same tables to the
    byte, nothing half-written, and the summary names every output"""
    d, whole, kept, again = studies
    names = sorted(p.relative_to(d/'whole').as_posix() for p in (d/'whole').rglob('*.csv'))
    assert kept == dict(audit=set(), compare={'audit'}, trend={'audit',
        'compare'}) and whole.returncode == again.returncode == 0, whole.stderr+again.stderr
    assert {'distributions.csv', 'shortcut_audit.csv', 'temporal/clips.csv'} <= set(names)
    assert all((d/'killed'/n).read_bytes() == (d/'whole'/n).read_bytes()
        for n in names) and not list((d/'killed').rglob('*.part'))
    assert '2 of 4 audit' in whole.stderr and 'left' in whole.stderr
    assert all(n in whole.stdout for n in ('distributions.csv', 'report.html', 'never a diagnosis'))

def pictures(folder, to):
    """Every picture in the files of a run, those inside its pages too, as files of one folder; not the maps of
    correlations, which hold numbers alone and which the detector may take for a face"""
    import base64
    to.mkdir()
    maps = {p.read_bytes() for p in folder.rglob('distributions_clusters_*.png')}
    for p in sorted(folder.rglob('*')):
        if p.suffix in ('.png', '.jpg', '.mp4') and p.read_bytes() not in maps:
            shutil.copy(p, to/f"{len(list(to.iterdir()))}{p.suffix}")
        if p.suffix == '.html':
            for kind, data in re.findall(r'data:image/(png|jpeg);base64,([^"\')]+)', p.read_text()):
                picture = base64.b64decode(data)
                if picture not in maps: (to/f"{len(list(to.iterdir()))}.{kind}").write_bytes(picture)
    return to

def test_no_thumbnails_no_faces(studies):
    """With --no-thumbnails the detector finds no face in anything that a study and its figures leave; without, it
    does. Nor is an input copied"""
    from fad.faces.cohort import cohort
    from fad.faces.points import find_landmarks
    d = studies[0]
    fad('extract', 'in', '--out', 'killed', '--figures', 2, '--quiet', '--no-thumbnails', '--set',
        'landmarks.repeats=1', cwd=d)
    # what was left with faces goes, too
    for run, more in (('whole', ()), ('killed', ()), ('killed', ('--no-thumbnails',))):
        assert fad('trend', 'in/normal/clip.mp4', '--out', run, '--quiet', *more, cwd=d).returncode == 0
        assert bool(list((d/run).rglob('*.mp4'))) != bool(more)
    assert len(list((d/'killed'/'figures').glob('00*.png'))) == 2
    for run, faces in (('whole', True), ('killed', False)):
        seen = find_landmarks(cohort(pictures(d/run, d/f'{run}_pictures')), progress=False).df.status
        assert len(seen) > 3 and seen.eq('ok').any() == faces, seen.value_counts()
    inputs = {p.read_bytes() for p in (d/'in').rglob('*.*')}
    assert not [p for run in ('whole', 'killed') for p in (d/run).rglob('*.*') if p.is_file()
        and p.read_bytes() in inputs]

def test_help_of_trend_names_its_files(studies):
    "What `fad trend` writes is what its help lists, and the folder is no run"
    d = studies[0]
    assert fad('trend', 'in/normal/clip.mp4', '--out', 'visit', '--quiet', cwd=d).returncode == 0
    listed = re.findall(r'^  (CLIP\S*)', fad('trend', '--help', cwd=d).stdout, re.M)
    assert sorted(listed) == sorted(p.name.replace('clip', 'CLIP') for p in (d/'visit'/'temporal').iterdir())
    refused = fad('report', 'visit', cwd=d)
    assert refused.returncode == 2 and 'not a run' in refused.stderr

def test_the_audit_names_what_was_not_measured(tmp_path):
    "A folder with a file that can't be read and a face that a gate rejects: both named, exit status 1, also when quiet"
    pytest.importorskip('sklearn'); pytest.importorskip('statsmodels')
    for kind in ('stroke_data', 'noStroke_data'):
        (tmp_path/'in'/kind).mkdir(parents=True)
        for q in sorted((Path(__file__).resolve().parent.parent/'data'/'simulated'/kind).glob('*.jpg'))[:2]:
            shutil.copy(q, tmp_path/'in'/kind)
    dark = Image.fromarray(astronaut()//25).crop((100, 0, 356, 256))
    dark.save(tmp_path/'in'/'noStroke_data'/'dark.jpg', quality=98)
    (tmp_path/'in'/'stroke_data'/'letter.jpg').write_text('Dear colleague,')
    command = ('audit', 'in', '--no-cnn', '--workers', 1, '--set', 'landmarks.repeats=1')
    said = fad(*command, '--out', 'audit', cwd=tmp_path)
    assert said.returncode == 1 and 'Traceback' not in said.stderr and 'not measured:' in said.stdout
    assert re.search(r'letter\.jpg: unreadable', said.stdout) and re.search(r'dark\.jpg: (rejected|no_face)',
        said.stdout) and 'The photograph' in said.stdout
    quiet = fad(*command, '--out', 'audit', '--quiet', cwd=tmp_path)
    assert quiet.returncode == 1 and quiet.stdout == '' and 'letter.jpg' in quiet.stderr

@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='asks the C library')
def test_the_end_of_a_library_is_not_the_status():
    "A library that aborts while the process is taken down: what Python cleans up is cleaned up, the status stands"
    code = '''import atexit, ctypes
from fad.app import cli
c = ctypes.CDLL(None)
c.__cxa_atexit(ctypes.cast(c.abort, ctypes.c_void_p), None, None)
atexit.register(print, 'cleaned up')
cli.main = lambda: 3
'''
    ends = {how: subprocess.run([sys.executable, '-c', code+how], capture_output=True, text=True)
        for how in ('cli.command()', 'raise SystemExit(cli.main())')}
    assert [done.returncode for done in ends.values()] == [3, -6]
    assert 'cleaned up' in ends['cli.command()'].stdout
