"""How tables and sentences that code printed look on the site: by `tidy` on every page, and on the pages that tell
findings (`READ`) in words, with units, and with the interval in the cell.

The notebooks show what a function returns; a reader of the site wants what it says."""
import ast, html, json, re
from bs4 import BeautifulSoup
from fad.faces.measures import BLENDSHAPE_FEATURES, EXCURSIONS, FEATURES, measure_words
from fad.stats.tables import column_words, decimals, p_words, with_interval

READ = re.compile(r'(0[1-5]_\w+|proof/\w+|clips/08_bedside|shortcuts/05_audit|guide/0[27]_\w+)$')
EMPTY = {'', 'nan', 'none', 'nat', '<na>'}
SAID = {'True': 'yes', 'False': 'no', 'auc': 'AUC',
    'african': 'African', 'asian': 'Asian', 'caucasian': 'Caucasian'}
_KEY = re.compile(r'\b[a-z][a-z0-9]*(_[a-z0-9]+)+\b')
_MEASURES = {f: measure_words(f) for f in (*FEATURES, *EXCURSIONS, *BLENDSHAPE_FEATURES)}
_LONGEST = sorted(_MEASURES, key=len, reverse=True)
_NAMED = re.compile('`('+'|'.join(_LONGEST)+r')`|\b('+'|'.join(f for f in _LONGEST if '_' in f)+r')\b')
SAID |= {name.replace('_', ' '): words for name, words in _MEASURES.items()}

def _text(cell): return cell.get_text(' ', strip=True)

def _number(text):
    "What a cell says as a number; None where it is none"
    try: return float(text)
    except ValueError: return None

def _say(cell, text):
    cell.clear()
    cell.append(text)

class Table:
    "A table as pandas writes it: rows of its head, and of its body the index and the cells"
    def __init__(self, table):
        self.table, self.head = table, table.thead.find_all('tr')
        self.rows = table.tbody.find_all('tr')
        self.index = max((len(r.find_all('th')) for r in self.rows), default=0)
        self.flat = not table.thead.find(colspan=re.compile('[2-9]|1[0-9]'))
    @property
    def names(self): return self.head[-1].find_all(['th', 'td'])[self.index:]
    def column(self, i): return [r.find_all('td')[i] for r in self.rows]
    def drop(self, i):
        for cell in [self.names[i], *self.column(i)]: cell.decompose()

def name_index(t):
    "The name of the index moves into the row above, where a reader looks for it"
    if len(t.head) < 2: return
    *_, above, last = t.head
    cells = last.find_all(['th', 'td'])
    if any(_text(c) for c in cells[t.index:]) or not any(map(_text, cells)): return
    for to, cell in zip(above.find_all(['th', 'td'])[:t.index], cells):
        both = [o for o in (_text(cell), _text(to)) if o]
        _say(to, ' / '.join(dict.fromkeys(both)))
    last.decompose()
    t.head.pop()

def drop_row_numbers(t):
    "Row numbers that pandas gave say nothing: 0, 1, 2, once or several times"
    if t.index != 1 or not t.flat: return
    firsts = [_text(r.th) if r.th else '' for r in t.rows]
    corner = t.head[-1].find(['th', 'td'])
    if not all(f.isdigit() for f in firsts) or _text(corner): return
    at = list(map(int, firsts))
    if any(b not in (0, a+1) for a, b in zip([-1, *at], at)): return
    for cell in (corner, *(r.th for r in t.rows)): cell.decompose()
    t.index = 0

def _decimals(values):
    "As many as give the middle of the sizes two digits, from 1 on three; at most four"
    sizes = sorted(abs(v) for v in values if v)
    if not sizes: return 0
    middle = sizes[len(sizes)//2]
    place = int(f'{middle:e}'.split('e')[1])
    return max(0, 2-place) if place >= 0 else min(4, 1-place)

def round_column(cells, name, whole):
    "No more decimals than a reader can use; `whole`: numbers without any lose their point"
    texts = [_text(c) for c in cells]
    if any(_number(s) is None for s in texts if s.lower() not in EMPTY): return
    kept = [(c, s) for c, s in zip(cells, texts) if '.' in s] # a number without a point was counted
    values, places = [_number(s) for _, s in kept], {len(s.partition('.')[2]) for _, s in kept}
    if len(places) != 1: return # none, or digits that somebody chose cell by cell
    present, = places
    if whole and all(v == int(v) for v in values): digits = 0
    elif whole or present > 3: digits = min(_decimals(values), present)
    else: return
    for (cell, _), value in zip(kept, values):
        small = re.fullmatch('[pq]([ _].*)?', name) and whole
        _say(cell, p_words(value) if small else f'{value:z.{digits}f}')

def _is_interval(cells):
    "Whether three columns are a value and the ends around it, in every row"
    rows = [[_number(_text(c)) for c in row] for row in zip(*cells)]
    return bool(rows) and all(None not in r and not r[0] < r[1]-1e-9 and not r[0] > r[2]+1e-9 for r in rows)

def merge_intervals(t):
    "`x`, `x_low`, `x_high` become one column, and so do a value and `low`, `high` behind it"
    names = [_text(c) for c in t.names]
    for i, name in reversed(list(enumerate(names))):
        ends = [names.index(e) for e in (f'{name}_low', f'{name}_high') if e in names]
        if not ends and names[i+1:i+3] == ['low', 'high']: ends = [i+1, i+2]
        if len(ends) != 2 or not _is_interval([t.column(j) for j in (i, *ends)]): continue
        for row in zip(*(t.column(j) for j in (i, *ends))):
            texts = [_text(c) for c in row]
            value, low, high = map(float, texts)
            shown = min(decimals(low, high), max(len(s.partition('.')[2]) for s in texts))
            _say(row[0], with_interval(value, low, high, shown))
        for j in sorted(ends, reverse=True): t.drop(j)
        names = [_text(c) for c in t.names]

def _in_words(text):
    "A key as a reader calls it"
    text = text.replace('non_stroke', 'non-stroke')
    if text == '< 0.001': return '<\u00a00.001' # on one line
    if text in SAID: return SAID[text]
    if text.lower() in EMPTY-{'none'}: return ''
    if text in _MEASURES: return _MEASURES[text]
    return text if re.search('[./(]', text) else _KEY.sub(lambda m: m[0].replace('_', ' '), text)

def words(t):
    "Names of columns with their units, measures by their names"
    for row in t.head:
        for cell in row.find_all(['th', 'td']):
            text = _text(cell)
            said = _MEASURES.get(text) or column_words(text)
            if text and said != text: _say(cell, said)
    for row in t.rows:
        for cell in row.find_all(['th', 'td']):
            text = _text(cell)
            if not cell.find(True) and (said := _in_words(text)) != text: _say(cell, said)

def tidy(
    source:str, # HTML of an output, as pandas writes it
    read:bool=False, # for a page that tells findings
    captions=() # one a table: what a row is
)->str:
    "Tables as people read them"
    soup = BeautifulSoup(source, 'html.parser')
    for i, table in enumerate(soup.find_all('table')):
        if not table.thead or not table.tbody or not table.thead.find('tr'): continue
        t = Table(table)
        name_index(t)
        drop_row_numbers(t)
        if read and t.flat: merge_intervals(t)
        if not table.get('id', '').startswith('T_'): # a Styler has chosen its digits
            for j in range(max((len(r.find_all('td')) for r in t.rows), default=0)):
                name = _text(t.names[j]) if t.flat and j < len(t.names) else ''
                if all(len(r.find_all('td')) > j for r in t.rows): round_column(t.column(j), name, read)
        if read: words(t)
    for table, caption in zip(soup.find_all('table'), captions): with_caption(soup, table, caption)
    return str(soup)

def with_caption(soup, table, text):
    "A caption that stands first, as HTML wants it"
    if table.caption: table.caption.decompose()
    caption = soup.new_tag('caption')
    caption.string = text
    table.insert(0, caption)

def series_table(
    text:str # how pandas prints a Series
)->str: # HTML; '' where it is none
    "A Series as a table of two columns"
    *lines, last = text.strip().splitlines() or ['']
    said = re.fullmatch(r'(?:Name: (.*), )?(?:Length: \d+, )?dtype: \w+', last.strip())
    rows = [re.fullmatch(r'(\S.*?)\s{2,}(\S.*)', o) for o in lines]
    if not said or not rows or not all(rows): return ''
    def row(tag, *cells):
        return '<tr><th>'+html.escape(cells[0])+f'</th><{tag}>'+html.escape(cells[1])+f'</{tag}></tr>'
    body = ''.join(row('td', m[1].strip(), m[2].strip()) for m in rows)
    head = row('th', '', said[1] or '')
    return f'<table class="dataframe"><thead>{head}</thead><tbody>{body}</tbody></table>'

def said_text(text):
    "What stands in a string that a cell ended with; None where it is no string"
    if not re.match(r'''['"(]''', text): return None
    try: said = ast.literal_eval(text)
    except (SyntaxError, ValueError): return None
    return said if isinstance(said, str) else None

def captions_of(cell):
    "The captions that a code cell gives its tables, taken out of it"
    found = re.search(r'(?m)^#\| tbl-cap: *(.+)\n', cell.source)
    if not found: return []
    cell.source = cell.source.replace(found[0], '', 1)
    said = found[1].strip()
    if said[0] == '[': return json.loads(said)
    return [json.loads(said) if said[0] == '"' else said]

def tidy_outputs(
    nb, # notebook as processed for the site
    name:str # 'proof/01_reliability'
):
    "The outputs of a page's cells, as its readers want them"
    read = bool(READ.match(name))
    for c in nb.cells:
        if c.cell_type != 'code' or 'show_doc(' in c.source: continue
        captions = captions_of(c)
        for out in c.outputs:
            data = out.get('data', {})
            if read: _plain_words(out, data)
            if '<table' in (page := ''.join(data.get('text/html') or '')):
                data['text/html'] = tidy(page, read, captions)
                captions = captions[page.count('<table'):]

def _plain_words(out, data):
    "Series become tables, strings become sentences, and measures go by their names"
    plain = ''.join(data.get('text/plain') or '')
    if set(data) == {'text/plain'}:
        if table := series_table(plain): data['text/html'] = table
        elif said := said_text(plain): data['text/markdown'] = said
    if data.get('text/markdown'): data['text/markdown'] = in_words(''.join(data['text/markdown']))
    if out['output_type'] == 'stream': out['text'] = in_words(''.join(out['text']))

def in_words(text): return _NAMED.sub(lambda m: _MEASURES[m[1] or m[2]], text)

def fold(nb):
    "Of a page that tells findings or teaches without code: what a cell shows comes first, its code is folded"
    kept = []
    for c in nb.cells:
        if c.cell_type != 'code' or 'show_doc(' in c.source or re.search(r'(?m)^#\| (code-fold|echo|eval):', c.source):
            kept.append(c)
            continue
        code = [o for o in c.source.splitlines() if o.strip() and not o.startswith('#|')]
        if not c.outputs and all(re.match(r'from |import |    |\)|%', o) for o in code): continue
        c.source = f'#| code-fold: true\n{c.source}'
        kept.append(c)
    nb.cells = kept
