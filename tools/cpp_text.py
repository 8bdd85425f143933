# SPDX-License-Identifier: MIT
"""Reading C++ without a compiler, well enough for lints: code without comments and literals,
and how long each function is."""
import re

# Comments, string and character literals, in the order in which they must be tried. The quote
# in 1'000'000 is no literal: a character literal does not follow a digit or a letter.
_LITERAL = re.compile(
    r'//(?:\\\n|[^\n])*'
    r'|/\*.*?\*/'
    r'|\b(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+'",
    re.DOTALL)
_DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)
_TYPE_HEAD = re.compile(r'\b(?:namespace|class|struct|union|enum)\b|\bextern\s*""$')
_PARAMETERS_LAST = re.compile(r'\)\s*(?:const|noexcept|override|final|&+|\s)*(?:->.*)?$', re.DOTALL)
_NAMESPACE = re.compile(r'(?:^|\s)(?:inline\s+)?namespace(?:\s+(?P<name>[\w:]+))?$')
_TYPE = re.compile(r'(?:^|\s)(?:struct|class|union|enum(?:\s+(?:class|struct))?)\s+'
                   r'(?:\[\[.*?\]\]\s*|alignas\s*\([^)]*\)\s*)*(?P<name>\w+(?:::\w+)*)(?![\w:]|\s*<)[^()=]*$', re.DOTALL)
_ACCESS = re.compile(r'(?<!\w)(?:public|private|protected)\s*:(?!:)')
_TEMPLATE_OPEN = re.compile(r'\btemplate\s*<')


def _blank(match):
    """Same number of lines, no text; a literal stays visible as empty quotes."""
    text = match.group(0)
    lines = '\n' * text.count('\n')
    return (lines if text.startswith(('//', '/*')) else '""' + lines)


def code_of(text):
    """The text with comments removed and literals emptied, line for line."""
    return _LITERAL.sub(_blank, text)


def _without_template_heads(head):
    """Removes each 'template <...>', in which the word class opens no class."""
    while match := _TEMPLATE_OPEN.search(head):
        depth, end = 1, match.end()
        while end < len(head) and depth:
            depth += {'<': 1, '>': -1}.get(head[end], 0)
            end += 1
        head = head[:match.start()] + head[end:]
    return head


def _kind(head):
    """What a '{' after this head opens: 'scope', 'function' or 'data'."""
    bare = _without_template_heads(head).strip()
    if bare.startswith('TEST_SUITE'):
        return 'scope'
    if _TYPE_HEAD.search(bare) and not _PARAMETERS_LAST.search(bare):
        return 'scope'
    if bare.endswith('='):
        return 'data'
    return 'function' if '(' in bare or re.search(r'=\s*\[', bare) else 'data'


def _name(head):
    match = re.search(r'([\w~:]+|operator\s*\S+?)\s*\(', _without_template_heads(head))
    return match.group(1) if match else 'lambda'


def _closing(code, start):
    """The position just after the '}' that closes the '{' at start."""
    depth, position = 0, start
    for position in range(start, len(code)):
        if code[position] == '{':
            depth += 1
        elif code[position] == '}':
            depth -= 1
            if depth == 0:
                break
    return position + 1


def functions(text):
    """Yields (name, first line, number of lines) of each function in C++ text."""
    code = _DIRECTIVE.sub(lambda m: '\n' * m.group(0).count('\n'), code_of(text))
    head_start = position = 0
    while position < len(code):
        char = code[position]
        if char in ';}':
            position = head_start = position + 1
            continue
        if char == 'p' and (access := _ACCESS.match(code, position)):
            position = head_start = access.end()
            continue
        if char != '{':
            position += 1
            continue
        head = code[head_start:position]
        kind = _kind(head)
        if kind == 'scope':
            position = head_start = position + 1
            continue
        position = _closing(code, position)
        # A braced member initialiser: the function's own body is still to come.
        follower = code[position:].lstrip()[:1]
        if kind == 'data' or follower in (',', '{'):
            continue
        first = head_start + len(head) - len(head.lstrip())
        line = code.count('\n', 0, first) + 1
        yield _name(head), line, code.count('\n', first, position) + 1
        head_start = position


def types(text):
    """Yields (qualified name, line) of each type that C++ text defines in a named namespace.
    A specialisation is no new name."""
    code = _DIRECTIVE.sub(lambda m: '\n' * m.group(0).count('\n'), code_of(text))
    names, head_start, position = [], 0, 0
    while position < len(code):
        char = code[position]
        if char == '}' and names:
            names.pop()
        if char in ';}':
            head_start = position + 1
        if char != '{':
            position += 1
            continue
        head = _without_template_heads(code[head_start:position]).strip()
        space = _NAMESPACE.search(head)
        if space and space['name']:
            names.append(space['name'])
            position = head_start = position + 1
            continue
        if not space and (match := _TYPE.search(head)):
            yield '::'.join(names + [match['name']]), code.count('\n', 0, position) + 1
        position = head_start = _closing(code, position)
