"A Dask cluster of separate processes: killed workers, files that kill, the same bytes as at home."
import contextlib, functools, http.server, os, signal, subprocess, sys, threading, time
import pytest
from distributed import Client
from PIL import Image
from skimage.data import astronaut
from test_cli import fad, rows, tables

SHARD = ('--set', 'landmarks.shard_frames=4', '--quiet')
PRELOAD = """
import os, fad.runs.cluster, fad.faces.points
def counted(*args, measure=fad.runs.cluster.measure_there):
    with open({log!r}, 'a') as f: f.write('started\\n')
    return measure(*args)
def deadly(path, *args, read=fad.faces.points.read_image): return os.kill(os.getpid(), 9) if 'deadly' in path else \
read(path, *args)
if fad.runs.cluster.measure_there.__name__ != 'counted': fad.runs.cluster.measure_there, fad.faces.points.read_image \
= counted, deadly # Dask may load this twice
"""

@contextlib.contextmanager
def cluster(folder, deaths, workers=2):
    """A scheduler and workers as on other machines: `deaths` of a task's worker are forgiven; what they start is
    counted in `started`"""
    at, log = folder/'scheduler.json', folder/'started'
    (folder/'preload.py').write_text(PRELOAD.format(log=str(log)))
    dask, env = [sys.executable, '-W', 'ignore', '-m',
        'dask'], os.environ | {'DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES': str(deaths)}
    def start(*args):
        return subprocess.Popen([*dask, *args, '--scheduler-file', str(at), '--no-dashboard'], env=env,
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    both = [start('scheduler', '--host', '127.0.0.1', '--port', '0'),
        start('worker', '--nworkers', str(workers), '--nthreads', '1', '--preload', str(folder/'preload.py'))]
    try:
        until = time.time()+60
        while not at.exists() and time.time() < until: time.sleep(.05)
        with Client(scheduler_file=str(at), timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
            yield at, client, log
    finally:
        for p in both:
            with contextlib.suppress(ProcessLookupError): os.killpg(p.pid, signal.SIGKILL)
            p.wait()

@pytest.fixture(scope='module')
def faces(tmp_path_factory):
    "Forty copies of a portrait, and what one process makes of them"
    d = tmp_path_factory.mktemp('faces')
    (d/'in').mkdir()
    face = Image.fromarray(astronaut()).crop((100, 0, 356, 256))
    for i in range(40): face.rotate(i/2-10).save(d/'in'/f'{i:02d}.jpg')
    assert fad('extract', 'in', '--out', 'home', '--workers', 1, *SHARD, cwd=d).returncode == 0
    return d

def test_a_killed_worker_costs_its_shard(faces, tmp_path):
    """kill -9 of a worker in the middle: the tables of one process; measured again is what it had in its hands or
    had not sent home, never more than was on its way, two shards a worker"""
    with cluster(tmp_path, deaths=3) as (at, client, log):
        pids = client.run(os.getpid)
        p = subprocess.Popen([sys.executable, '-c', 'from fad.app.cli import command; command()',
            'extract', 'in', '--out', 'far', '--scheduler', str(at), *SHARD], cwd=faces)
        until = time.time()+120
        while not list((faces/'far').glob('landmarks/*.parquet')) and p.poll() is None and time.time() < until:
            time.sleep(.01)
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        assert p.wait(240) == 0
        assert 10 <= len(log.read_text().split()) <= 10+2*len(pids)
    assert tables(faces/'far') == tables(faces/'home')

def test_a_file_that_kills_workers_becomes_a_row(faces, tmp_path):
    "A picture whose decoder takes the process down: its row says so, the eleven others are measured"
    (tmp_path/'in').mkdir()
    for i in range(12): os.link(faces/'in'/f'{i:02d}.jpg', tmp_path/'in'/f"{i:02d}{'_deadly' if i == 5 else ''}.jpg")
    with cluster(tmp_path, deaths=0) as (at, client, log):
        done = fad('extract', 'in', '--out', 'run', '--scheduler', at, *SHARD, cwd=tmp_path)
    status = [r['status'] for r in rows(tmp_path/'run'/'facial_asymmetry_functional.csv')]
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert '05_deadly.jpg: failed: the process that measured it died' in done.stderr
    assert [i for i, s in enumerate(status) if s != 'ok'] == [5] and len(status) == 12

def test_a_killed_scheduler_costs_nothing_at_home(faces, tmp_path):
    """kill -9 of the scheduler in the middle: the command ends with a sentence, keeps what came home, and goes on
    from there without a cluster"""
    with cluster(tmp_path, deaths=3) as (at, client, log):
        pid = client.run_on_scheduler(os.getpid)
        p = subprocess.Popen([sys.executable, '-c', 'from fad.app.cli import command; command()',
            'extract', 'in', '--out', 'cut', '--scheduler', str(at), *SHARD], cwd=faces, stderr=subprocess.PIPE,
            text=True)
        until = time.time()+120
        while not list((faces/'cut').glob('landmarks/*.parquet')) and p.poll() is None and time.time() < until:
            time.sleep(.01)
        os.kill(pid, signal.SIGKILL)
        said = p.communicate(timeout=240)[1]
    assert p.returncode == 2 and 'the Dask scheduler went away' in said and 'Traceback' not in said, said
    kept = {q: q.stat().st_mtime_ns for q in (faces/'cut').glob('landmarks/*.parquet')}
    assert kept and fad('extract', 'in', '--out', 'cut', '--workers', 1, *SHARD, cwd=faces).returncode == 0
    assert all(q.stat().st_mtime_ns == t for q, t in kept.items()) and tables(faces/'cut') == tables(faces/'home')

def test_faces_in_a_store(faces, tmp_path):
    "A manifest and its pictures behind HTTP, one of them missing: a row each, the numbers those of the files on disk"
    pytest.importorskip('aiohttp')
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    store = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(faces)))
    threading.Thread(target=store.serve_forever, daemon=True).start()
    (faces/'some.csv').write_text('path,label\n'+''.join(f'in/{i:02d}.jpg,none\n'
        for i in range(3))+'in/gone.jpg,none\n')
    try:
        done = [fad('extract', source, '--out', out, '--workers', 1, *SHARD, cwd=faces) for out,
            source in (('disk', 'some.csv'), ('http', f'http://127.0.0.1:{store.server_port}/some.csv'))]
    finally: store.shutdown()
    disk, far = ([{k: v for k, v in r.items() if k != 'path'}
        for r in rows(faces/run/'facial_asymmetry_functional.csv')] for run in ('disk', 'http'))
    assert [d.returncode for d in done] == [1, 1] and not any('Traceback' in d.stderr for d in done), done[1].stderr
    assert disk[:3] == far[:3] and [r['status'] == 'ok' for r in far] == [True]*3+[False]

def test_no_scheduler(faces):
    done = fad('extract', 'in', '--out', 'never', '--scheduler', 'tcp://127.0.0.1:1', cwd=faces)
    assert done.returncode == 2 and 'no Dask scheduler answers there' in done.stderr and 'Traceback' not in done.stderr
    assert not (faces/'never').exists()
