"""A run that can be trusted: what could not be read comes back, what is damaged heals, what is stopped stops, and
nothing waits for ever."""
import json, os, shutil, signal, subprocess, sys, time
from pathlib import Path
import pytest
from PIL import Image
from skimage.data import astronaut
from test_cli import FAD, TABLES, fad, rows, tables

SMALL = ('--workers', 1, '--set', 'landmarks.repeats=1', '--set', 'landmarks.shard_frames=1')
posix = pytest.mark.skipif(os.name != 'posix', reason='signals and pipes of POSIX')

@pytest.fixture(scope='module')
def portraits(tmp_path_factory):
    "Six portraits and a letter, measured: the folder of both"
    d = tmp_path_factory.mktemp('trust')
    (d/'in').mkdir()
    face = Image.fromarray(astronaut()).crop((100, 0, 356, 256))
    for i in range(6): face.rotate(2*i-5).save(d/'in'/f'{i}.jpg')
    (d/'in'/'letter.jpg').write_text('Dear colleague,')
    assert fad('extract', 'in', '--out', 'whole', *SMALL, cwd=d).returncode == 1 # the letter
    return d

@pytest.fixture
def run(portraits, tmp_path):
    "A copy of the run, with its inputs beside it"
    for name in ('in', 'whole'): shutil.copytree(portraits/name, tmp_path/name)
    return tmp_path/'whole'

def again(run, *more): return fad('extract', 'in', '--out', run.name, *SMALL, *more, cwd=run.parent)

def stamps(run): return {p.name: p.stat().st_mtime_ns for p in (run/'landmarks').iterdir()}

# ---- a passing read error is not final

def test_a_share_that_drops_out_comes_back(portraits, tmp_path):
    "Photos that vanish while others are measured are measured by the same command when they are back; the rest stays"
    shutil.copytree(portraits/'in', tmp_path/'in')
    p = subprocess.Popen([*FAD, 'extract', 'in', '--out', 'whole', *map(str, SMALL)], cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.time()+60
    while not list(tmp_path.glob('whole/landmarks/*.parquet')) and time.time() < until: time.sleep(.002)
    (tmp_path/'in').rename(tmp_path/'away')
    assert p.wait(60) == 1
    run, gone = tmp_path/'whole', [r['path'] for r in rows(tmp_path/'whole'/TABLES[0]) if 'no such file' in r['status']]
    assert len(gone) >= 2
    refused = again(run) # the share is still away
    assert refused.returncode == 2 and 'Traceback' not in refused.stderr
    (tmp_path/'away').rename(tmp_path/'in')
    before = stamps(run)
    done = again(run)
    # the letter, if it was not looked at before, is refused for what it is and so never comes back
    assert f'{len(gone)-("in/letter.jpg" in gone)} of {len(gone)} files that could not be read came back' in done.stdout
    assert tables(run) == tables(portraits/'whole')
    assert sum(stamps(run)[n] == t for n, t in before.items()) == 7-len(gone)
    after = stamps(run)
    assert 'came back' not in again(run).stdout and stamps(run) == after # nothing left to do

def test_a_file_that_came_late(portraits, tmp_path):
    "A manifest's file that is missing, half copied or empty at first is measured when it is there"
    shutil.copytree(portraits/'in', tmp_path/'in')
    (tmp_path/'in'/'m.csv').write_text('path\n0.jpg\n1.jpg\n2.jpg\n3.jpg\n')
    late = {n: (tmp_path/'in'/n).read_bytes() for n in ('1.jpg', '2.jpg', '3.jpg')}
    (tmp_path/'in'/'1.jpg').unlink()
    (tmp_path/'in'/'2.jpg').write_bytes(late['2.jpg'][:900])
    (tmp_path/'in'/'3.jpg').write_bytes(b'')
    command = 'extract', 'in/m.csv', '--out', 'run', *SMALL
    assert fad(*command, cwd=tmp_path).returncode == 1
    kept = stamps(tmp_path/'run')['00000.parquet']
    for n, data in late.items(): (tmp_path/'in'/n).write_bytes(data)
    done = fad(*command, cwd=tmp_path)
    assert done.returncode == 0 and '3 of 3 files that could not be read came back' in done.stdout, done.stderr
    assert stamps(tmp_path/'run')['00000.parquet'] == kept
    (tmp_path/'in'/'0.jpg').write_bytes(late['1.jpg']) # one that had a number is another now
    assert fad(*command, cwd=tmp_path).returncode == 2

# ---- damaged files of a run heal

def flipped(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 8
    path.write_bytes(data)

DAMAGE = dict(
    a_flipped_byte=lambda run: flipped(run/'landmarks/00002.parquet', 2000),
    a_flipped_byte_of_the_footer=lambda run: flipped(run/'landmarks/00002.parquet', -300),
    a_shard_cut_short=lambda run: os.truncate(run/'landmarks/00003.parquet', 5000),
    an_empty_shard=lambda run: (run/'landmarks/00003.parquet').write_bytes(b''),
    a_shard_gone=lambda run: (run/'landmarks/00003.parquet').unlink(),
    a_shard_copied_over_another=lambda run: shutil.copy(run/'landmarks/00001.parquet', run/'landmarks/00004.parquet'),
    two_shards_exchanged=lambda run: [(run/'landmarks/00001.parquet').rename(run/'x'), (run/'landmarks/00004.parquet'
        ).rename(run/'landmarks/00001.parquet'), (run/'x').rename(run/'landmarks/00004.parquet')],
    an_empty_table=lambda run: (run/'quality.csv').write_text(''),
    half_a_table=lambda run: os.truncate(run/'facial_asymmetry_functional.csv', 3000),
    a_table_gone=lambda run: (run/'blendshapes.csv').unlink(),
    a_table_edited_by_hand=lambda run: (run/TABLES[0]).write_text((run/TABLES[0]).read_text().replace(',0.', ',1.', 1)),
    a_cohort_edited_by_hand=lambda run: (run/'cohort.csv').write_text((run/'cohort.csv').read_text().replace('0', '9')))

@pytest.mark.parametrize('kind', DAMAGE)
def test_damage_heals(portraits, run, kind):
    "What is not as it was written is named, and the same command makes the tables of the undamaged run again"
    DAMAGE[kind](run)
    done = again(run)
    assert done.returncode == 1 and 'Traceback' not in done.stderr, done.stderr
    assert 'anew' in done.stdout and tables(run) == tables(portraits/'whole')
    assert 'anew' not in again(run).stdout

@pytest.mark.parametrize('kind', [k for k in DAMAGE if 'gone' not in k])
def test_damage_is_no_number(run, kind):
    "Whoever reads a damaged run says what is damaged instead of giving numbers"
    from fad.runs.extract import Run
    from fad.settings import FadError
    DAMAGE[kind](run)
    r = Run(run)
    with pytest.raises(FadError, match='anew'):
        for name in ('cohort', 'quality', 'blendshapes', 'facial_asymmetry_functional'): r.table(name)
        r.landmarks()

def test_strange_files_are_left(portraits, run):
    "Files of a disk's owner, a synchronizer or another run among the landmarks: named, left, and not read"
    names = ['._00000.parquet', '00000 (1).parquet', '00099.parquet', 'notes.part', 'landmarks.txt']
    for n in names: shutil.copy(run/'landmarks/00000.parquet', run/'landmarks'/n)
    (run/TABLES[0]).unlink() # so that there is something to do
    done = again(run)
    assert done.returncode == 1 and tables(run) == tables(portraits/'whole'), done.stderr
    assert all((run/'landmarks'/n).is_file() for n in names) and '00000 (1).parquet' in done.stdout
    from fad.runs.extract import Run
    assert len(Run(run).landmarks()) == 7

@pytest.mark.parametrize('text', ('', '{"identity": {"set', '\0'*300))
def test_a_record_in_pieces(portraits, run, text):
    "Without run.json nobody knows what the landmarks were made from: they are measured anew; other commands say so"
    (run/'run.json').write_text(text)
    said = fad('report', run.name, cwd=run.parent)
    assert said.returncode == 2 and 'fad extract' in said.stderr and 'Traceback' not in said.stderr
    done = again(run)
    assert done.returncode == 1 and 'run.json was empty or damaged' in done.stdout, done.stderr
    assert tables(run) == tables(portraits/'whole')

@pytest.mark.parametrize('text', ('{"name": "another tool"}', '{"state": "finished", "identity": 7}'))
def test_a_record_of_others(run, text):
    (run/'run.json').write_text(text)
    before = tables(run)
    for said in (again(run), fad('report', run.name, cwd=run.parent)):
        assert said.returncode == 2 and 'not of fad' in said.stderr and 'Traceback' not in said.stderr
    assert tables(run) == before

def _edit(run, change):
    info = json.loads((run/'run.json').read_text())
    change(info)
    (run/'run.json').write_text(json.dumps(info))

EDITS = dict( # what is changed in run.json, how, and whether the landmarks have to be measured anew
    identity=(lambda info: info['identity']['settings']['quality'].update(max_yaw_deg=90.), False),
    warnings=(lambda info: info.update(warnings=[]), False),
    status=(lambda info: info['status'].update(ok=7), False),
    files=(lambda info: info['files'].update({TABLES[0]: '0'*64}), False),
    unread=(lambda info: info.update(unread={'0.jpg': ''}), True),
    state=(lambda info: info.update(state='measured'), False))

@pytest.mark.parametrize('entry', EDITS)
def test_a_record_edited_by_hand(portraits, run, entry):
    "Named by whoever reads it; the same command writes it anew, and measures only what it no longer tells"
    (change, anew), before = EDITS[entry], stamps(run)
    _edit(run, change)
    said = fad('report', run.name, cwd=run.parent)
    assert said.returncode == 2 and f'changed since it was written ({entry})' in said.stderr, said.stderr
    done = again(run)
    assert done.returncode == 1 and f'run.json was changed since it was written ({entry})' in done.stdout, done.stderr
    assert tables(run) == tables(portraits/'whole') and (stamps(run) != before) == anew
    assert 'run.json' not in again(run).stdout

def test_a_record_edited_to_what_is_asked(portraits, run):
    "A setting that was written into run.json and is then asked for does not make the numbers those of that setting"
    asked = '--set', 'quality.min_interocular_px=60'
    assert again(run, *asked).returncode == 2
    _edit(run, lambda info: info['identity']['settings']['quality'].update(min_interocular_px=60.))
    assert again(run).returncode == 1 # as it was made: mended
    _edit(run, lambda info: info['identity']['settings']['quality'].update(min_interocular_px=60.))
    assert 'all were measured anew' in again(run, *asked).stdout and again(run).returncode == 2
    found = tables(run)
    shutil.rmtree(run)
    assert again(run, *asked).returncode == 1 and tables(run) == found

def test_a_run_of_an_older_version(portraits, run):
    "A run without checksums is used: its landmarks stay, its tables are written again with theirs"
    info = json.loads((run/'run.json').read_text())
    (run/'run.json').write_text(json.dumps({k: v for k, v in info.items() if k not in ('files', 'sums')}))
    before = stamps(run)
    assert again(run).returncode == 1 and tables(run) == tables(portraits/'whole') and stamps(run) == before
    assert json.loads((run/'run.json').read_text())['files'] == info['files']

def test_a_study_in_pieces(run):
    "study.json with an empty phase, or of other shapes; a table of a phase changed by hand: done anew, and named"
    pytest.importorskip('statsmodels')
    command = 'study', 'in', '--out', run.name, *SMALL, '--phases', 'audit'
    for i in range(6):
        to = run.parent/'in'/('stroke' if i % 2 else 'normal')
        to.mkdir(exist_ok=True)
        (run.parent/'in'/f'{i}.jpg').rename(to/f'{i}.jpg')
    shutil.rmtree(run)
    assert 'Traceback' not in fad(*command, cwd=run.parent).stderr
    whole, good = (run/'shortcut_audit.csv').read_bytes(), json.loads((run/'study.json').read_text())
    assert good['phases']['audit']['state'] == 'done', good
    for bad in (good | dict(phases=dict(audit={})), good | dict(phases=[]), [], good | dict(phases=dict(audit=None)),
        good | dict(phases=dict(audit=dict(state='done')))):
        (run/'study.json').write_text(json.dumps(bad))
        assert 'Traceback' not in fad('report', run.name, cwd=run.parent).stderr, bad
        done = fad(*command, cwd=run.parent)
        assert done.returncode == 1 and 'Traceback' not in done.stderr, done.stderr
        assert json.loads((run/'study.json').read_text())['phases']['audit']['state'] == 'done'
    (run/'shortcut_audit.csv').write_bytes(whole.replace(b'0.', b'0.9', 1))
    done = fad(*command, cwd=run.parent)
    assert 'shortcut_audit.csv was changed' in done.stdout and (run/'shortcut_audit.csv').read_bytes() == whole

def test_a_closed_folder_is_lost(portraits, tmp_path):
    "A folder that can't be looked into makes the status 1 and is named, if nothing else is said too"
    script = '''
import os, sys
scan = os.scandir
def closed(path='.'):
    if 'shut' in os.fspath(path): raise PermissionError(13, 'Permission denied')
    return scan(path)
os.scandir = closed
from fad.app.cli import main
sys.exit(main(sys.argv[1:]))'''
    (tmp_path/'in'/'shut').mkdir(parents=True)
    for name in ('0.jpg', 'shut/1.jpg'): shutil.copy(portraits/'in'/Path(name).name, tmp_path/'in'/name)
    command = 'extract', 'in', '--out', 'run', *map(str, SMALL), '--quiet'
    done = subprocess.run([sys.executable, '-c', script, *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "folder 'shut' could not be looked into: Permission denied" in done.stderr
    assert done.stderr.count('Permission denied') == 1 and len(rows(tmp_path/'run'/TABLES[0])) == 1

@posix
def test_two_at_once(portraits, tmp_path):
    "Two commands that write into one folder: the second waits, and refuses to write over faces of the first"
    for name in ('in', 'other'): shutil.copytree(portraits/'in', tmp_path/name)
    (tmp_path/'other'/'0.jpg').rename(tmp_path/'other'/'zero.jpg')
    def begin(source):
        return subprocess.Popen([*FAD, 'extract', source, '--out', 'whole', *map(str, SMALL), '--quiet'], cwd=tmp_path,
            stderr=subprocess.PIPE, text=True)
    first = begin('in')
    until = time.time()+60
    while not list(tmp_path.glob('whole/landmarks/*.parquet')) and time.time() < until: time.sleep(.002)
    same, other = begin('in'), begin('other')
    ended = {p: (p.communicate(timeout=120)[1], p.returncode) for p in (first, same, other)}
    assert [ended[p][1] for p in (first, same, other)] == [1, 1, 2], ended
    assert 'was made from something else' in ended[other][0] and tables(tmp_path/'whole') == tables(portraits/'whole')

# ---- stopped means stopped

def alive(session):
    "Processes of a session that have not ended"
    said = subprocess.run(['ps', '-eo', 'pid=,sess=,stat=,args='], capture_output=True, text=True).stdout
    found = [line.split(None, 3) for line in said.splitlines()]
    return [f for f in found if f[1] == str(session) and not f[2].startswith('Z')]

def hears():
    "Ctrl-C is heard, if these tests run in the background too, where a shell has it ignored"
    signal.signal(signal.SIGINT, signal.default_int_handler)

def start(folder, *command):
    "A command in a session of its own, once two workers of it measure"
    p = subprocess.Popen([*FAD, *map(str, command)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, preexec_fn=hears)
    until = time.time()+60
    while not list((folder/'stopped').glob('landmarks/*.parquet')) and p.poll() is None and time.time() < until:
        time.sleep(.01)
    assert p.poll() is None, 'it ended before it could be stopped'
    return p

@posix
@pytest.mark.parametrize('sign', ('TERM', 'INT', 'KILL'))
def test_stopped_means_stopped(portraits, tmp_path, sign):
    "Whatever stops the parent, no process is left, in 5 s on a quiet machine; a polite signal gets a sentence"
    (tmp_path/'in').mkdir()
    for i in range(60): shutil.copy(portraits/'in'/f'{i%6}.jpg', tmp_path/'in'/f'{i:02d}.jpg')
    command = 'extract', 'in', '--out', 'stopped', *SMALL[2:], '--workers', 2, '--quiet'
    p = start(tmp_path, *command)
    assert len(alive(p.pid)) >= 3
    p.send_signal(getattr(signal, f'SIG{sign}'))
    until = time.time()+30 # a busy machine takes longer
    while alive(p.pid) and time.time() < until: time.sleep(.05)
    left = alive(p.pid)
    for pid, *_ in left: os.kill(int(pid), signal.SIGKILL)
    said = p.communicate(timeout=10)[1]
    assert not left, left
    if sign != 'KILL':
        assert p.returncode == dict(TERM=143, INT=130)[sign] and 'Traceback' not in said
        assert any(line.startswith('fad extract: stopped. What was done is kept') for line in said.splitlines()), said
    assert fad(*command, cwd=tmp_path).returncode == 0 and not list((tmp_path/'stopped').rglob('*.part'))

@posix
def test_a_simulation_ends_with_its_parent(tmp_path):
    "Processes that simulate people end when the one that wants them is gone, in 5 s on a quiet machine"
    pytest.importorskip('pyvista')
    command = 'simulate --out made --subjects 40 --clips 0 --workers 2 --quiet'.split()
    p = subprocess.Popen([*FAD, *command], cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.time()+180
    while not list(tmp_path.glob('made/.parts/*.parquet')) and p.poll() is None and time.time() < until: time.sleep(.05)
    assert p.poll() is None and len(alive(p.pid)) >= 3
    p.kill()
    until = time.time()+30
    while alive(p.pid) and time.time() < until: time.sleep(.05)
    left = alive(p.pid)
    for pid, *_ in left: os.kill(int(pid), signal.SIGKILL)
    assert not left, left

def test_a_worker_that_holds_a_handle_of_its_parent(tmp_path):
    "Where a worker is given a handle of its parent, as on Windows, it waits for that, and ends when it is told"
    (tmp_path/'two.py').write_text('''
import multiprocessing, os, time
from fad.runs.extract import end_with

def work(parent, ready):
    end_with(parent)
    ready.put(os.getpid())
    time.sleep(120)

if __name__ == '__main__':
    here = multiprocessing.get_context('spawn')
    ready = here.Queue()
    here.Process(target=work, args=(os.getpid(), ready)).start()
    print(ready.get(), flush=True)
    time.sleep(120)
''')
    psutil = pytest.importorskip('psutil')
    p = subprocess.Popen([sys.executable, 'two.py'], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(p.stdout.readline()))
    p.kill()
    p.wait()
    try: worker.wait(30) # 5 s on a quiet machine
    except psutil.TimeoutExpired:
        worker.kill()
        pytest.fail('it went on without its parent')

# ---- time and size

@posix
@pytest.mark.parametrize('name', ('pipe', '/dev/zero'))
def test_pipes_and_devices(portraits, tmp_path, name):
    "A pipe or a device as photo, clip, manifest, settings, model, classifier or error table holds nothing up"
    at = name if name.startswith('/') else str(tmp_path/'pipe')
    if not name.startswith('/'): os.mkfifo(at)
    shutil.copy(portraits/'in'/'0.jpg', tmp_path)
    for link in ('a.jpg', 'a.mp4', 'm.csv', 's.ini', 'c.skops', 'settings.ini'): os.symlink(at, tmp_path/link)
    (tmp_path/'real.csv').write_text(f'path\n0.jpg\na.jpg\na.mp4\n{at}\n')
    for command in (('extract', 'a.jpg'), ('extract', 'a.mp4'), ('extract', 'm.csv'), ('extract', at),
        ('extract', 'real.csv'), ('extract', '0.jpg', '--settings', 's.ini'), ('extract', '0.jpg', '--settings', at),
        ('extract', '0.jpg', '--set', f'landmarks.model={at}'), ('extract', '0.jpg', '--set', f'measures.errors={at}'),
        ('predict', 'c.skops', '0.jpg')):
        try: done = subprocess.run([*FAD, *command, '--out', f'run_{"_".join(command).replace("/", "-")}',
            *(['--workers', '1', '--quiet'] if command[0] == 'extract' else [])], cwd=tmp_path, capture_output=True,
            text=True, timeout=40, stdin=subprocess.DEVNULL, start_new_session=True)
        except subprocess.TimeoutExpired: pytest.fail(f'hangs: {command}')
        assert done.returncode in (1, 2) and 'Traceback' not in done.stderr, (command, done.stderr)
    assert [r['status'] == 'ok' for r in rows(tmp_path/'run_extract_real.csv'/TABLES[0])] == [True, False, False, False]

def test_a_disk_that_hangs(portraits, tmp_path):
    "A picture that never comes costs `work.file_s`, its row says so, and the same command takes it when it comes"
    script = '''
import sys, threading
import fad.faces.points as points
read = points.read_image
def hang(path, *args): return threading.Event().wait() if '3.jpg' in path else read(path, *args)
points.read_image = hang
from fad.app.cli import main
sys.exit(main(sys.argv[1:]))'''
    shutil.copytree(portraits/'in', tmp_path/'in')
    command = 'extract', 'in', '--out', 'run', *map(str, SMALL)
    done = subprocess.run([sys.executable, '-c', script, *command, '--set', 'work.file_s=1'], cwd=tmp_path,
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and '3.jpg: unreadable: no answer within 1 s (work.file_s)' in done.stdout, done.stderr
    done = fad(*command, cwd=tmp_path)
    assert '1 of 2 files that could not be read came back' in done.stdout
    assert tables(tmp_path/'run') == tables(portraits/'whole')

@pytest.mark.parametrize('source', ('in', 'in/m.csv', 'in/*.jpg'))
def test_a_folder_that_hangs(portraits, tmp_path, source):
    "A folder, a manifest's path or a pattern on a drive that does not answer is named, and the process ends"
    script = '''
import os, sys, threading
def on_a_drive_that_hangs(look):
    def hang(path='.', *args, **kwargs):
        if 'away' in os.fspath(path): threading.Event().wait()
        return look(path, *args, **kwargs)
    return hang
os.scandir, os.lstat, os.stat = map(on_a_drive_that_hangs, (os.scandir, os.lstat, os.stat))
os.path.lexists = on_a_drive_that_hangs(os.path.lexists)
from fad.app.cli import main
sys.exit(main(sys.argv[1:]))'''
    (tmp_path/'in'/'away').mkdir(parents=True)
    for n in ('0.jpg', 'away/1.jpg', 'away/2.jpg'): shutil.copy(portraits/'in'/Path(n).name, tmp_path/'in'/n)
    (tmp_path/'in'/'m.csv').write_text('path\n0.jpg\naway/1.jpg\naway/2.jpg\n')
    named = dict(zip(('in', 'in/m.csv', 'in/*.jpg'), ('in/away', 'away/1.jpg', 'in/away/*.jpg')))[source]
    command = 'extract', source.replace('*', 'away/*'), '--out', 'run', '--set', 'work.file_s=1'
    done = subprocess.run([sys.executable, '-c', script, *command], cwd=tmp_path, capture_output=True, text=True,
        timeout=60)
    assert done.returncode == 2 and not (tmp_path/'run').exists(), (done.returncode, done.stderr)
    assert f'{named}: no answer within 1 s (work.file_s)' in done.stderr and 'Traceback' not in done.stderr

@posix
def test_what_is_refused_is_not_read_whole(tmp_path):
    "Ten gigabytes of nothing, as photo, clip and manifest's row, in seconds"
    (tmp_path/'in').mkdir()
    for n in ('a.jpg', 'b.mp4', 'c.tif'):
        with open(tmp_path/'in'/n, 'wb') as f: f.truncate(10*2**30)
    start = time.time()
    done = fad('extract', 'in', '--out', 'run', *SMALL, cwd=tmp_path)
    assert done.returncode == 1 and 'Traceback' not in done.stderr and time.time()-start < 10
    assert len(rows(tmp_path/'run'/TABLES[0])) == 3

def test_files_that_settings_name(portraits, tmp_path):
    "A table of errors lies where settings.ini lies: found from any folder, the same run, and named if it is gone"
    from fad import settings
    (tmp_path/'in').mkdir()
    (tmp_path/'below').mkdir()
    shutil.copy(portraits/'in'/'0.jpg', tmp_path/'in')
    shutil.copy(Path(settings.__file__).parent/'assets'/'errors.csv', tmp_path/'own.csv')
    (tmp_path/'settings.ini').write_text('[fad]\nschema = 1\n[measures]\nerrors = own.csv\n')
    def measure(source, out, cwd): return fad('extract', source, '--out', out, *SMALL, cwd=cwd)
    assert measure('in', 'run', tmp_path).returncode == 0
    before = stamps(tmp_path/'run')
    done = measure('../in', '../run', tmp_path/'below')
    assert done.returncode == 0 and stamps(tmp_path/'run') == before, done.stderr
    assert str(tmp_path) not in (tmp_path/'run'/'run.json').read_text() # no name of a home folder
    (tmp_path/'own.csv').rename(tmp_path/'gone.csv')
    done = measure('../in', '../run', tmp_path/'below')
    assert done.returncode == 2 and f'errors = {tmp_path/"own.csv"}: no such file. Give' in done.stderr, done.stderr

# ---- one item of a phase

def test_one_clip_costs_itself(tmp_path, monkeypatch):
    "An unforeseen exception in one clip: its row says so, the other clips are followed, the phase has failed"
    import fad.temporal
    from corpus import _clip
    from fad.app.study import study
    from fad.settings import Settings, override
    (tmp_path/'in').mkdir()
    face = Image.fromarray(astronaut()).crop((100, 0, 356, 256))
    for n in 'abc': _clip(tmp_path/'in'/f'{n}.mp4', face.rotate(ord(n)-98), 60)
    follow = fad.temporal.trend_clip
    def odd(path, *args, **kwargs):
        if 'b.mp4' in str(path): raise IndexError('list index out of range')
        return follow(path, *args, **kwargs)
    monkeypatch.setattr(fad.temporal, 'trend_clip', odd)
    s = override(Settings(), **{'landmarks.repeats': 1})
    run = study(tmp_path/'in', tmp_path/'run', s, 1, ['trend'], progress=False)
    found = json.loads((run.path/'study.json').read_text())['phases']['trend']
    clips = rows(run.path/'temporal'/'clips.csv')
    assert [c['clip'] for c in clips] == ['a.mp4', 'b.mp4', 'c.mp4'] and 'IndexError' in clips[1]['notes']
    assert clips[0]['figure'] and clips[2]['figure'] and found['state'] == 'failed'
    assert 'b.mp4: IndexError: list index out of range' in found['found'] and '2 clips followed' in found['found']

@pytest.mark.parametrize('kind', ('turned', 'nobody'))
def test_a_clip_that_says_little(tmp_path, kind):
    "A head turned throughout is followed by the phase it shows; a clip without a face says so in words"
    np, pd = pytest.importorskip('numpy'), pytest.importorskip('pandas')
    from fad.clips.replay import write_clip
    from fad.faces.media import read_image
    from fad.temporal import trend_clip
    cohort, rng = Path(__file__).resolve().parent.parent/'data'/'simulated', np.random.default_rng(0)
    truth = pd.read_parquet(cohort/'truth.parquet', columns=['path', 'yaw_deg'])
    turned = truth[truth.yaw_deg.abs().between(22, 27) & truth.path.str.endswith('.jpg')].path.iloc[0]
    picture = read_image(cohort/turned) if kind == 'turned' else np.full((256, 256, 3), 90, np.uint8)
    noisy = [np.clip(picture+rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8) for _ in range(40)]
    write_clip(tmp_path/'clip.mp4', noisy, 10, crf='14')
    found = trend_clip(tmp_path/'clip.mp4', tmp_path/'run', annotate=False, progress=False)
    said = dict(turned='no quiet face in the first seconds', nobody='no usable face at all')[kind]
    assert any(note.startswith(said) for note in found.notes) and not len(found.events)
    assert found.series.status.eq('ok').any() == (kind == 'turned')

def test_a_long_clip_has_a_short_summary(tmp_path, monkeypatch, capsys):
    "Hundreds of events, marks and notes of a long clip are counted; the tables have them all"
    pd, temporal = pytest.importorskip('pandas'), pytest.importorskip('fad.temporal')
    from types import SimpleNamespace
    from fad.app.cli import main
    both = dict(side='left', ground='changed since the start')
    event = both | dict(region='mouth', sense='lower', start_s=1., end_s=2., held_s=1., peak_mm=3.)
    mark = both | dict(kind='begin', t_s=1., what='lower')
    found = SimpleNamespace(series=pd.DataFrame(dict(status=['ok']*9)), events=pd.DataFrame([event]*400),
        marks=pd.DataFrame([mark]*400), notes=['odd']*400, files=['events.csv'])
    monkeypatch.setattr(temporal, 'trend_clip', lambda *args, **kwargs: found)
    assert main(['trend', 'clip.mp4', '--out', str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) < 50
    for left in ('388 more\n', '388 more live marks', '388 more notes'): assert left in said

LOST = dict(
    audit=dict(check='border', verdict='not judged', found='not judged: an error, X: y'),
    train=dict(task='severity', model='monotone', validation='failed: learned from all', metric='an error, X: y'),
    reflect=dict(input='mouth', trained='clean', measure='failed', note='split 0: an error, X: y'))

@pytest.mark.parametrize('phase', LOST)
def test_one_item_costs_itself(phase, tmp_path, monkeypatch):
    "A row that came to an error: the phase has failed, what it found is told, and the status is 1"
    pd, study = pytest.importorskip('pandas'), pytest.importorskip('fad.app.study')
    import fad.classifiers, fad.shortcuts.audit, fad.shortcuts.reflection
    table = pd.DataFrame([LOST[phase], {k: 'as ever' for k in LOST[phase]}])
    class A: # a run with one table
        path, info = tmp_path, {}
        def table(self, name): return table
    cnn = pytest.importorskip('fad.cnn') if phase == 'reflect' else None
    monkeypatch.setattr(fad.shortcuts.audit, 'audit', lambda *a, **k: table)
    monkeypatch.setattr(fad.shortcuts.audit, 'in_words', lambda t: 'found much')
    monkeypatch.setattr(fad.classifiers, 'train_run', lambda *a, **k: None)
    monkeypatch.setattr('fad.models.cards.training_summary', lambda *a: 'found much')
    if cnn: monkeypatch.setattr(cnn, 'reflect_run', lambda *a, **k: table)
    monkeypatch.setattr(fad.shortcuts.reflection, 'in_words', lambda t: 'found much')
    from fad.settings import Settings
    of = next(p for p in study.PHASES if p.name == phase)
    found = study._attempt(of, A(), Settings(), 1, False)
    assert (found['state'], found['found']) == ('failed', 'found much')
    table = table.tail(1)
    assert study._attempt(of, A(), Settings(), 1, False)['state'] == 'done'
