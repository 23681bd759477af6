"""The simulator against its budgets: `python benchmarks/simulate.py`.

CPU seconds a photograph when every one shows another person, and memory over a thousand frames, in one process with \
one render thread."""
import os
os.environ.update(LP_NUM_THREADS='1', OMP_NUM_THREADS='1')
import time
import psutil
from fad.simulator.scenes import cohort_scene, render

def megabytes(): return psutil.Process().memory_info().rss/2**20

def stills(n=1000, warm=40):
    for i in range(warm): render(cohort_scene(2, i, 0))
    start, cpu, wall = megabytes(), time.process_time(), time.perf_counter()
    for i in range(n):
        render(cohort_scene(2, i, i%4))
        if i+1 in (100, 300, 600, n):
            print(f"{i+1:5d} photographs of {i+1} people: {(time.process_time()-cpu)/(i+1):.3f} s CPU and "
                f"{(time.perf_counter()-wall)/(i+1):.3f} s each (budget 0.2), memory {megabytes()-start:+.0f} MB")

if __name__ == '__main__': stills()
