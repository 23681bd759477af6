"""What another machine may change: `python benchmarks/machines.py [photographs]` measures the same photographs with \
other CPU kernels.

Writes data/machines.csv, which `nbs/guide/02_limits.ipynb` reads. MediaPipe chooses its kernels by itself, so that \
they stay the same here."""
import os, subprocess, sys, tempfile
from pathlib import Path
import numpy as np, pandas as pd

ROOT = Path(__file__).parents[1]
PLAIN_NUMPY = dict(NPY_DISABLE_CPU_FEATURES='AVX2 FMA3 AVX512F AVX512CD AVX512_SKX', OPENBLAS_CORETYPE='Prescott')
EXCHANGES = {'NumPy, OpenBLAS': PLAIN_NUMPY, 'NumPy, OpenBLAS, OpenCV': PLAIN_NUMPY
    | dict(OPENCV_CPU_DISABLE='AVX,AVX2,FP16,FMA3,AVX512F,AVX512-SKX')}
_CHILD = """import sys, warnings
warnings.simplefilter('ignore')
import pandas as pd
from fad.faces.cohort import cohort
from fad.runs.extract import embedded_cohort, extract
df = cohort(embedded_cohort())
extract(df[df.t_s.isna()].head(int(sys.argv[1])).reset_index(drop=True), sys.argv[2], workers=1, progress=False)"""

def measured(n, out, kernels):
    "The functional table of the embedded cohort's first n photographs, measured in a process with other kernels"
    subprocess.run([sys.executable, '-W', 'ignore', '-c', _CHILD, str(n), str(out)], check=True, cwd=ROOT,
        env=os.environ | kernels, stderr=subprocess.DEVNULL)
    return pd.read_csv(out/'facial_asymmetry_functional.csv')

def differences(a, b, exchanged):
    "The largest difference of every unit, beside the typical standard error of its features"
    from fad.faces.measures import catalog
    assert a.status.equals(b.status)
    units = catalog().set_index('name').unit
    for unit, names in units[[n in a for n in units.index]].groupby(units).groups.items():
        yield dict(exchanged=exchanged, photographs=len(a), unit=unit, largest=np.nanmax(np.abs(a[names]-b[names])),
            median_se=np.nanmedian(a[[f'{n}_se' for n in names if f'{n}_se' in a]]))

if __name__ == '__main__':
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as t:
        here = measured(n, Path(t)/'here', {})
        rows = pd.DataFrame([r for i, (name, kernels) in enumerate(EXCHANGES.items())
            for r in differences(here, measured(n, Path(t)/str(i), kernels), name)])
    rows.to_csv(ROOT/'data'/'machines.csv', index=False, float_format='%.2g')
    print(rows.to_string(index=False))
