"""From clone to report: `python benchmarks/newcomer.py [--people 60]` does what README tells a newcomer to do, and \
times each step.

A folder of simulated people stands for their own (a folder a label, a folder a person, no manifest). Clone, \
environment, install
without pip's cache, study with and without the networks; seconds by the clock become data/newcomer.csv. Needs a \
quiet machine."""
import argparse, os, shutil, subprocess, sys, tempfile, time
from pathlib import Path
import pandas as pd, psutil

ROOT = Path(__file__).resolve().parent.parent

def own_folder(at, people):
    "What a newcomer has: photos/stroke/NAME/…, photos/healthy/NAME/…; other people than those of the embedded cohort"
    subprocess.run([Path(sys.executable).with_name('fad'), 'simulate', '--out', str(at/'made'), '--subjects',
        str(people), '--clips', '4', '--seed', '4242', '--quiet'], check=True)
    made = pd.read_csv(at/'made/manifest.csv')
    for path, who, label in zip(made.path, made.subject, made.label):
        to = at/'photos'/('stroke' if label == 'stroke' else 'healthy')/who
        to.mkdir(parents=True, exist_ok=True)
        shutil.copy(at/'made'/path, to/f'IMG_{len(list(to.iterdir())):04d}{Path(path).suffix}')
    shutil.rmtree(at/'made')
    return at/'photos'

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--people', type=int, default=60, help='in the folder')
    a, rows = p.parse_args(), []
    with tempfile.TemporaryDirectory() as d:
        at = Path(d)
        photos, load = own_folder(at, a.people), psutil.cpu_percent(2)/100*os.cpu_count() # cores that others keep busy
        clean = {k: v for k, v in os.environ.items() if k != 'VIRTUAL_ENV'} | dict(PIP_NO_CACHE_DIR='1')
        python, fad = at/'fad/.venv/bin/python', at/'fad/.venv/bin/fad'
        for step, cwd, command in (('clone', at, ['git', 'clone', '-q', ROOT, 'fad']), ('environment', at/'fad',
        [getattr(sys, '_base_executable', sys.executable), '-m', 'venv', '.venv']),
            ('install', at/'fad', [python, '-m', 'pip', 'install', '-qq', '.[study]']),
            ('study', at/'fad', [fad, 'study', photos, '--out', 'results/photos', '--quiet']),
            ('install the networks', at/'fad', [python, '-m', 'pip', 'install', '-qq', '.[study,cnn]']),
            ('networks', at/'fad', [fad, 'study', photos, '--out', 'results/photos', '--quiet'])):
            start = time.perf_counter()
            done = subprocess.run([*map(str, command)], cwd=cwd, env=clean)
            if done.returncode not in ((0, 1) if command[0] == fad else (0,)):
                sys.exit(f'{step}: status {done.returncode}')
            rows.append(dict(step=step, seconds=round(time.perf_counter()-start, 1)))
            print(f"{step:>22} {rows[-1]['seconds']:7.1f} s", flush=True)
        assert (at/'fad/results/photos/report.html').is_file()
        disk = sum(f.stat().st_size for f in (at/'fad/.venv').rglob('*') if f.is_file() and not f.is_symlink())/1e9
        files = sum(f.is_file() for f in photos.rglob('*'))
    pd.DataFrame(rows).assign(files=files, people=a.people, cores=os.cpu_count(), load=round(load, 1),
        disk_gb=round(disk, 1), date=time.strftime('%Y-%m-%d')).to_csv(ROOT/'data'/'newcomer.csv', index=False,
        lineterminator='\n')

if __name__ == '__main__': main()
