"""What is wrong with a command line, as one sentence for people.

absl answers a mistake with all flags of the command and a line such as `flag
--audio=None: Flag --audio must have a value other than None.`
"""

from __future__ import annotations

import difflib
import re

from absl import flags

# What absl's errors say (1.4): `flag --name=value: reason`, and two others.
_ILLEGAL = re.compile(r'flag --(?P<name>\w+)=(?P<value>.*?): (?P<why>.*)', re.S)
_NO_VALUE = re.compile(r'Missing value for flag -{1,2}(?P<name>\w+)')
_REQUIRED = 'must have a value other than None'


def sentence(error: flags.Error | ValueError) -> str:
  """Words an error of the parser.

  Args:
    error: What `flags.FLAGS(argv)` raised; ValueError is `--noflag=value`.

  Returns:
    What was wrong, where, and what to do: `--name...: ...`.
  """
  if isinstance(error, flags.UnrecognizedFlagError):
    return _unknown(error.flagname)
  text = str(error)
  if _REQUIRED in text:
    return _required()
  found = _NO_VALUE.match(text)
  if found:
    return f'--{found["name"]} needs a value: {_purpose(found["name"])}'
  found = _ILLEGAL.match(text)
  if found and found['name'] in flags.FLAGS:
    return f'--{found["name"]}={found["value"]}: {_wanted(found)}'
  return text


def _unknown(name: str) -> str:
  """A flag that is not there, and the one that may be meant."""
  near = difflib.get_close_matches(name, sorted(flags.FLAGS), n=1)
  hint = f'did you mean --{near[0]}?' if near else '--help lists all'
  return f'--{name}: there is no such flag; {hint}'


def _required() -> str:
  """All required flags without a value, the first with what it is."""
  absent = [
      name for name in flags.FLAGS if flags.FLAGS[name].value is None and any(
          _REQUIRED in validator.message
          for validator in flags.FLAGS[name].validators)]
  first, others = absent[0], [f'--{name}' for name in absent[1:]]
  text = f'--{first} is required: {_purpose(first)}'
  if not others:
    return text
  listed = ' and '.join(filter(None, [', '.join(others[:-1]), others[-1]]))
  return f'{text}; {listed} {"are" if others[1:] else "is"} required, too'


def _purpose(name: str) -> str:
  """The first clause of a flag's help, as it stands inside a sentence."""
  parser = flags.FLAGS[name].parser
  if isinstance(parser, flags.EnumParser):
    return f'one of {_choices(parser)}'
  text = re.split(r'[;.:] |[;.]$', ' '.join(flags.FLAGS[name].help.split()))[0]
  is_word = text[1:2].islower() or text[1:2] == ' '
  return text[:1].lower() + text[1:] if is_word else text


def _wanted(found: re.Match[str]) -> str:
  """What values a flag takes."""
  parser = flags.FLAGS[found['name']].parser
  if isinstance(parser, flags.EnumParser):
    return f'must be one of {_choices(parser)}'
  if isinstance(parser, flags.BooleanParser):
    return 'must be true or false'
  if isinstance(parser, (flags.IntegerParser, flags.FloatParser)):
    return f'must be {parser.syntactic_help}'
  return found['why']


def _choices(parser: flags.EnumParser) -> str:
  """The values of an enum; the empty one, a default, is left out."""
  return ', '.join(filter(None, parser.enum_values))
