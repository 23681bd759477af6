"""Cost as work grows: `python benchmarks/scale.py [extraction clips features comparison audit cluster] [--upto \
100000] [--photos 1000] [--frames 1000] [--cluster 600]`.

Every measurement runs in a process of its own and becomes a row of data/scale.csv (the page "From a laptop to a \
cluster" draws
it): seconds, CPU seconds, peak memory, with the machine, its load, the date. A row that is measured again replaces \
the old one.
Extraction takes photographs; features, comparison and audit take tables resampled from them, with new names and jitter.
Wall seconds mean something on a quiet machine only: see the column `load`."""
import os
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')
import argparse, json, shutil, subprocess, sys, tempfile, time, warnings
from pathlib import Path
import numpy as np, pandas as pd, psutil
from fad import __version__
from fad.faces.cohort import cohort
from fad.runs.files import write_csv
from fad.runs.extract import Run, extract, processes, write_tables
from fad.runs.files import save_landmarks
from fad.settings import load_settings

TABLE = Path(os.environ.get("FAD_SCALE_TABLE") or Path(__file__).resolve().parent.parent/"data"/"scale.csv")
SETTINGS = load_settings()

def cpu():
    "CPU seconds of this process and all below it"
    me, total = psutil.Process(), 0
    for p in [me, *me.children(recursive=True)]:
        try: t = p.cpu_times()
        except psutil.NoSuchProcess: continue
        total += t.user+t.system
    gone = me.cpu_times()
    return total+gone.children_user+gone.children_system

class Timed:
    "Wall and CPU seconds of a block"
    def __enter__(self): self.wall, self.cpu = -time.perf_counter(), -cpu(); return self
    def __exit__(self, *args): self.wall += time.perf_counter(); self.cpu += cpu()

def peak():
    "Most memory that this process held, MB; what its parent held before it does not count"
    import re, resource
    if os.path.exists('/proc/self/status'):
        return int(re.search(r'VmHWM:\s+(\d+)', open('/proc/self/status').read())[1])/1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/(2**20 if sys.platform == 'darwin' else 1024)

def forget_peak():
    "Preparing data counts no longer; Linux only"
    if os.path.exists('/proc/self/clear_refs'): Path('/proc/self/clear_refs').write_text('5')

def row(timed, **more): return dict(wall_s=timed.wall, cpu_s=timed.cpu, peak_mb=peak()) | more

# What grows: photographs, and runs resampled from a small one

def photographs_of(home, n):
    from phase1 import photographs
    folder = home/f'photos{n}'
    if not folder.is_dir():
        folder.mkdir()
        photographs(folder, n)
    return folder

def resampled(home, n):
    """A run of n frames drawn from the run of the photographs: four frames a person, two labels, three sources,
    every point jittered by 0.3 px"""
    run = Run(home/f'run{n}')
    if (run.path/'cohort.csv').is_file(): return run
    (run.path/'landmarks').mkdir(parents=True)
    seed, rng, size = Run(home/'seed').landmarks(), np.random.default_rng(n), SETTINGS.landmarks.shard_frames
    kept = []
    for k, first in enumerate(range(0, n, size)):
        at = np.arange(first, min(first+size, n))
        faces = seed[rng.integers(0, len(seed), len(at))]
        person = at//4
        faces.df = faces.df.assign(frame_id=[f'{i:07d}.jpg' for i in at], subject=[f'p{i:06d}' for i in person],
            source=np.array(['clinic', 'phone', 'webcam'])[person%3],
            label=np.where(person%2, 'stroke', 'non_stroke'), palsy=np.where(person%2, 'central', 'none'),
            subject_known=True)
        faces.xyz = faces.xyz+rng.normal(0, .3, faces.xyz.shape).astype(np.float32)
        save_landmarks(faces, run.path/'landmarks'/f'{k:05d}.parquet')
        kept.append(faces.df[['frame_id', 'subject', 'source', 'label', 'palsy', 'path', 'frame', 't_s', 'status',
            'subject_known']])
    write_csv(pd.concat(kept, ignore_index=True), run.path/'cohort.csv')
    (run.path/'run.json').write_text(json.dumps(dict(identity={}, state='finished', status={})))
    return run

# Stages, each in a child process: what is printed last becomes a row

def bare(home, n):
    from phase1 import bare_loop
    folder = photographs_of(home, n)
    with Timed() as t: wall = bare_loop(folder)
    return dict(wall_s=wall, cpu_s=t.cpu*wall/t.wall, peak_mb=peak()) # the loop without the preparation of its crops

def extraction(home, n):
    folder = photographs_of(home, n)
    with Timed() as t: extract(folder, home/f'extracted{n}', SETTINGS, workers=1, progress=False)
    return row(t)

def clips(home, n):
    "Frames of clips, one look each: the embedded clips over and over, under new names"
    folder, films = home/f'clips{n}', sorted((Path(__file__).resolve().parent.parent/'data'/'simulated').rglob('*.mp4'))
    folder.mkdir()
    each = len(cohort(films[0].parent, SETTINGS))/len(films)
    for i in range(int(1.1*n/each)+5): shutil.copy(films[i%len(films)], folder/f'{i:06d}.mp4')
    with Timed() as t:
        extract(cohort(folder, SETTINGS).head(n), home/f'followed{n}', SETTINGS, workers=1, progress=False)
    return row(t)

def features(home, n):
    run = Run(home/f'run{n}')
    with Timed() as t: write_tables(run, run.table('cohort'), SETTINGS)
    return row(t)

def comparison(home, n):
    from fad.distributions import compare_run
    with Timed() as t: compare_run(Run(home/f'run{n}'), settings=SETTINGS)
    return row(t)

def looking(home, n):
    "What the audit does with pictures"
    from fad.shortcuts.evidence import evidence
    run = Run(home/f'run{n}')
    with Timed() as t: e = evidence(run, workers=1)
    pd.to_pickle(e, home/'evidence') # for the next stage, in a temporary folder
    return row(t)

def audit(home, n):
    """The audit's verdicts, from tables drawn out of those of the pictures: numbers jittered, a tenth of the hash's
    bits flipped"""
    from fad.shortcuts.audit import judge
    from fad.shortcuts.evidence import part_of
    rng, e = np.random.default_rng(n), pd.read_pickle(home/'evidence')
    e = part_of(e, rng.integers(0, len(e['rows']), n))
    for k in ('photography', 'background', 'border', 'stance', 'demography'):
        numbers = e[k].select_dtypes('number').columns
        e[k][numbers] = e[k][numbers]*rng.normal(1, .01, (n, len(numbers)))
    e['thumbnail'] = e['thumbnail']+2*rng.standard_normal(e['thumbnail'].shape, dtype=np.float32)
    e['hash'] = rng.random(e['hash'].shape) < .5
    person = np.arange(n)//4
    e['rows'] = e['rows'].assign(frame_id=[f'{i:07d}' for i in range(n)], subject=person.astype(str),
        source=np.array(['clinic', 'phone', 'webcam'])[person%3], label=np.where(person%2, 'stroke', 'non_stroke'))
    forget_peak()
    with Timed() as t: judge(e, permutations=499)
    return row(t)

def on_pool(home, n, workers=2):
    folder = photographs_of(home, n)
    with processes(workers) as pool:
        extract(photographs_of(home, 32), home/f'warm_pool{workers}', SETTINGS, executor=pool, workers=workers,
            progress=False)
        with Timed() as t:
            extract(folder, home/f'pool{workers}', SETTINGS, executor=pool, workers=workers, progress=False)
    return row(t, workers=workers)

def on_cluster(home, n, workers):
    from distributed import LocalCluster
    from fad.runs.cluster import Cluster
    folder = photographs_of(home, n)
    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True,
        dashboard_address=None) as local, Cluster(local.scheduler_address) as far:
        extract(photographs_of(home, 32), home/f'warm_far{workers}', SETTINGS, executor=far, progress=False)
        with Timed() as t: extract(folder, home/f'far{workers}', SETTINGS, executor=far, progress=False)
        most = max(far.client.run(peak).values())
    return row(t, workers=workers, peak_mb=most) # of a worker

def on_cluster1(home, n): return on_cluster(home, n, 1)
def on_cluster2(home, n): return on_cluster(home, n, 2)

# The parent: starts children, keeps the table

def measure(stage, home, n):
    "Run a stage in a child process; its row goes into the table"
    load = psutil.cpu_percent(2)/100*os.cpu_count() # cores that others keep busy
    done = subprocess.run([sys.executable, '-W', 'ignore', __file__, '--child', stage, str(n), str(home)],
        capture_output=True, text=True)
    if done.returncode: raise SystemExit(f'{stage} at {n} frames: {done.stderr[-1500:]}')
    r = json.loads(done.stdout.splitlines()[-1])
    chip = next((o.split(':')[1].strip() for o in open('/proc/cpuinfo') if o.startswith('model name')),
        'unknown') if os.path.exists('/proc/cpuinfo') else 'unknown'
    r = dict(stage=stage, frames=n, workers=r.pop('workers', 1), **{k: round(v, 2) for k, v in r.items()},
        load=round(load, 1), cores=os.cpu_count(), chip=chip, date=time.strftime('%Y-%m-%d'), fad=__version__)
    old = pd.read_csv(TABLE) if TABLE.is_file() else pd.DataFrame(columns=list(r))
    table = pd.concat([old[~(old.stage.eq(stage) & old.frames.eq(n))], pd.DataFrame([r])],
        ignore_index=True).sort_values(['stage', 'frames'])
    table.to_csv(TABLE, index=False, lineterminator='\n')
    print(f"{stage:>12} {n:>7} frames: {n/r['wall_s']:10,.1f} frames/s, {n/r['cpu_s']:10,.1f} a CPU second, peak "
        f"{r['peak_mb']:6,.0f} MB, load {r['load']}", flush=True)
    return r

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('stages', nargs='*', default=[],
        help='extraction clips features comparison audit cluster; default: all')
    p.add_argument('--upto', type=int, default=100_000, help='frames of the resampled tables')
    p.add_argument('--photos', type=int, default=1000, help='photographs of the longest extraction')
    p.add_argument('--frames', type=int, default=1000, help='frames of clips of the longest extraction')
    p.add_argument('--cluster', type=int, default=600,
        help='photographs for the comparison of cluster and process pool')
    p.add_argument('--child', nargs=3, help=argparse.SUPPRESS)
    a = p.parse_args()
    warnings.simplefilter('ignore')
    if a.child: return print(json.dumps(globals()[a.child[0]](Path(a.child[2]), int(a.child[1]))))
    stages, sizes = a.stages or ['extraction', 'clips', 'features', 'comparison', 'audit',
        'cluster'], lambda top: [10**k for k in range(2, 8) if 10**k <= top]
    with tempfile.TemporaryDirectory() as t:
        home = Path(t)
        if 'extraction' in stages:
            for n in sizes(a.photos):
                b, r = measure('bare', home, min(n, 200)), measure('extraction', home, n)
                print(f"{'':>12} {b['cpu_s']/b['frames']/(r['cpu_s']/n):.2f} of a bare MediaPipe loop by CPU time, "
                    f"{b['wall_s']/b['frames']/(r['wall_s']/n):.2f} by the clock (budget 0.90)")
        if 'clips' in stages:
            for n in sizes(a.frames): measure('clips', home, n)
        if {'features', 'comparison', 'audit'} & set(stages):
            extract(photographs_of(home, 100), home/'seed', SETTINGS, workers=1, progress=False)
        for n in sizes(a.upto):
            if {'features', 'comparison', 'audit'} & set(stages):
                resampled(home, n)
                measure('features', home, n) # the others read its tables
                if 'comparison' in stages: measure('comparison', home, n)
                if 'audit' in stages:
                    if n <= 10_000: measure('looking', home, n)
                    measure('audit', home, n)
        if 'cluster' in stages:
            pool, one, two = (measure(s, home, a.cluster) for s in ('on_pool', 'on_cluster1', 'on_cluster2'))
            print(f"two workers of a cluster against one: {one['wall_s']/two['wall_s']/2:.2f} by the clock, "
                f"{one['cpu_s']/two['cpu_s']:.2f} by CPU time; against a process pool of two: "
                f"{pool['wall_s']/two['wall_s']:.2f} by the clock, {pool['cpu_s']/two['cpu_s']:.2f} by CPU time")

if __name__ == '__main__': main()
