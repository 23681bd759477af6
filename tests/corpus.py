"A folder of everything that goes wrong with photos and clips, for the tests of the tables and of the command line."
import os, struct, zlib
from importlib.util import find_spec
from pathlib import Path
import av
import numpy as np
from PIL import Image
from skimage.data import astronaut, coffee

def _png(w, h, rows=b''):
    "A PNG, sound in its header, of `w` × `h` grey pixels of which only `rows` are there"
    def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind+data))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 0, 0, 0, 0)) + chunk(b'IDAT',
        zlib.compress(rows)) + chunk(b'IEND', b'')

def _clip(path, image, n=10):
    "A clip that shows `image` for `n` frames at 10 frames/s"
    with av.open(str(path), 'w') as c:
        s = c.add_stream('libx264', rate=10)
        s.width,s.height,s.pix_fmt = *image.size, 'yuv420p'
        for i in range(n): c.mux(s.encode(av.VideoFrame.from_image(image)))
        c.mux(s.encode(None))

def _sound(path):
    "An MP4 with sound only"
    with av.open(str(path), 'w') as c:
        s = c.add_stream('aac', rate=16000)
        f = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format='fltp', layout='mono')
        f.sample_rate = 16000
        c.mux(s.encode(f) + s.encode(None))

def _photos(d, face):
    "Good photos in every mode, orientation, name and size"
    for n in ('plain.jpg', 'two words.jpg', 'été.jpg', '微笑 😀.jpg', 'a, b;c.jpg', '"quoted" \'x\'.jpg',
        'two\nlines.jpg', '=1+1.jpg', '+x.jpg', '-x.jpg', '@x.jpg',
              'same/a/face.jpg', 'same/b/face.jpg', 'UPPER.JPG'): face.save(d/n, format='jpeg')
    for tag,turn in ((3, Image.ROTATE_180), (6, Image.ROTATE_90), (8, Image.ROTATE_270), (2, Image.FLIP_LEFT_RIGHT)):
        exif = Image.Exif()
        exif[0x0112] = tag
        face.transpose(turn).save(d/f'exif{tag}.jpg', exif=exif)
    face.save(d/'png_named.jpg', format='png')
    face.save(d/'jpeg_named.png', format='jpeg')
    face.save(d/'no_extension', format='jpeg')
    face.save(d/'moving.gif', save_all=True, append_images=[face.rotate(180)])
    face.convert('CMYK').save(d/'cmyk.jpg')
    Image.fromarray(np.asarray(face.convert('L')).astype(np.uint16)*257).save(d/'deep.png')
    face.quantize(64).save(d/'palette.png')
    face.convert('RGBA').save(d/'alpha.webp')
    face.resize((8000, 8000)).save(d/'huge.jpg', quality=50)
    _clip(d/'clip.mp4', face)

def make_corpus(
    folder, # empty folder, made where it is missing
)->dict: # path below the folder as `frame_id` spells it -> how the status begins
    "Write one file of every kind; a name that the file system refuses is left out"
    d = Path(folder)
    (d/'same/a').mkdir(parents=True, exist_ok=True)
    (d/'same/b').mkdir(exist_ok=True)
    face = Image.fromarray(astronaut())
    _photos(d, face)
    want = {p.relative_to(d).as_posix(): 'ok' for p in d.rglob('*') if p.is_file()}
    jpg,mp4 = (d/'plain.jpg').read_bytes(), (d/'clip.mp4').read_bytes()
    bad = {'half.jpg': (jpg[:len(jpg)//2], 'truncated file'), 'stub.jpg': (jpg[:40], 'truncated'),
        'empty.jpg': (b'', 'empty file (0 bytes)'), 'empty.mp4': (b'', 'empty file (0 bytes)'),
        'letter.jpg': (b'Dear doctor, the photo is attached.', 'not an image: text'),
        'letter.mp4': (b'Dear doctor', 'not a video: text'),
        'bomb.png': (_png(60000, 60000), '3,600 MP, over the limit'),
        'white.png': (_png(12000, 12000, b'\0'*12001*12000), '144 MP, over the limit'),
        'phone.heic': (b'\0\0\0\x18ftypheic\0\0\0\0mif1heic',
            'truncated or damaged HEIC file' if find_spec('pillow_heif') else 'HEIC without a decoder'),
        'sensor.nef': (b'II*\0'+bytes(64), "a camera's raw file"), 'canon.cr3': (b'\0\0\0\x18ftypcrx '+bytes(64),
            "a camera's raw file"),
        'clip.jpg': (mp4, 'not an image: a video, MP4'),
        'photo.mp4': (jpg, 'not a video: an image, JPEG'), 'half.mp4': (mp4[:len(mp4)//2], 'truncated file')}
    for n,(data,why) in bad.items():
        (d/n).write_bytes(data)
        want[n] = f'unreadable: {why}'
    try: (d/os.fsdecode(b'caf\xe9.jpg')).write_bytes(jpg)
    except OSError: pass
    else: want['caf\\xe9.jpg'] = 'unreadable: file name is not UTF-8'
    _sound(d/'voice.mp4')
    (d/'broken.jpg').symlink_to('nowhere.jpg')
    (d/'self.jpg').symlink_to('self.jpg')
    (d/'same/round').symlink_to('..')
    want |= {'voice.mp4': 'unreadable: no video in it, only sound', 'broken.jpg': 'unreadable: broken symbolic link',
        'self.jpg': 'unreadable: symbolic link that leads in a circle'}
    Image.fromarray(coffee()).save(d/'coffee.jpg')
    face.resize((1, 1)).save(d/'one_pixel.png')
    face.rotate(180).save(d/'upside_down.jpg')
    face.rotate(120).save(d/'turned_over.jpg')
    return want | {'coffee.jpg': 'no_face', 'one_pixel.png': 'no_face', 'upside_down.jpg': 'ok', # turned upright first
        'turned_over.jpg': 'ok'}
