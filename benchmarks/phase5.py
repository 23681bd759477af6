"""Phase 5 against its budgets: `python benchmarks/phase5.py CLIP`.

A clip followed from file to events is compared with a bare MediaPipe loop in tracking mode over the same decoded frames (CPU time, in turn,
the least of three), the online detector is timed beyond landmarks, and the memory of a clip of 1 minute is compared with that of one of 2 hours."""
import os
os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')
import subprocess, sys, tempfile, time, warnings
import av, mediapipe as mp, numpy as np
from fad.faces.detector import new_landmarker, quiet_stderr
from fad.faces.points import one_thread
from fad.faces.media import frame_times, read_frames
from fad.clips.series import measure_clip
from fad.settings import load_settings
from fad.clips.events import analyse
from fad.clips.watch import watch

def repeated(path, out, seconds, fps=12):
    "A clip made longer by playing it again and again"
    shots = [f for _, f in read_frames(path, frame_times(path).frame) if f is not None]
    with av.open(str(out), 'w') as c:
        v = c.add_stream('libx264', fps, options=dict(preset='ultrafast', crf='23'))
        v.height, v.width = shots[0].shape[:2]; v.pix_fmt = 'yuv420p'
        for i in range(seconds*fps): c.mux(v.encode(av.VideoFrame.from_ndarray(shots[i%len(shots)], 'rgb24')))
        c.mux(v.encode())
    return out

def bare(path):
    "CPU seconds of the detector alone, from file to arrays of points"
    times = frame_times(path)
    start = time.process_time()
    with one_thread(), quiet_stderr(), new_landmarker(load_settings(), video=True) as tracker:
        for (i, image), t in zip(read_frames(path, times.frame), times.t_s):
            for face in tracker.detect_for_video(mp.Image(mp.ImageFormat.SRGB, image), round(t*1000)).face_landmarks: np.array([(p.x, p.y, p.z) for p in face])
    return time.process_time()-start, len(times)

def whole(path):
    "CPU seconds from file to events, every frame"
    start = time.process_time()
    analyse(measure_clip(path, rate_hz=0, progress=False))
    return time.process_time()-start

def online(path):
    "CPU milliseconds a frame of the live watch, landmarks apart"
    rows = measure_clip(path, rate_hz=0, progress=False).to_dict('records')
    start = time.process_time()
    for event in watch(rows): pass
    return (time.process_time()-start)*1000/len(rows)

_CHILD = """import re, sys
from fad.clips.series import measure_clip
from fad.clips.events import analyse
analyse(measure_clip(sys.argv[1], rate_hz=1, progress=False))
print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])/1024)"""

if __name__ == '__main__':
    warnings.simplefilter('ignore')
    with tempfile.TemporaryDirectory() as t:
        clip = repeated(sys.argv[1], f'{t}/40.mp4', 40)
        whole(clip) # the first call loads what is loaded once
        turns = [(*bare(clip), whole(clip)) for _ in range(3)]
        alone, n, all_in = min(a for a, _, _ in turns), turns[0][1], min(w for _, _, w in turns)
        print(f"{n} frames: detector alone {n/alone:.0f} frames/s, from file to events {n/all_in:.0f}: {alone/all_in:.2f} of it (budget 0.85)")
        print(f"the live watch: {online(clip):.3f} ms a frame beyond landmarks (budget 1)", flush=True)
        peak = {s: float(subprocess.run([sys.executable, '-W', 'ignore', '-c', _CHILD, str(repeated(sys.argv[1], f'{t}/{s}.mp4', s, 4))], capture_output=True, text=True, check=True).stdout.split()[-1]) for s in (60, 7200)}
        print(f"1 minute: {peak[60]:.0f} MB at most; 2 hours: {peak[7200]:.0f} MB; {peak[7200]-peak[60]:+.0f} MB (budget +150)")
