"""python -m earsr_tf.doctor: versions, machine and what is wrong with them."""

from __future__ import annotations

import os
import platform
import shutil
import sys

from earsr_tf import environment


def problems() -> list[str]:
  """Returns one sentence per thing that keeps the project from working."""
  found = []
  if environment.problem():
    found.append(environment.problem())
  absent = environment.missing(environment.OPTIONAL)
  if absent and environment.IS_CLONE:
    found.append(
        f'Pipelines and tests also need {", ".join(absent)}; '
        f'{environment.REMEDY}.')
  found += [
      f'Untested version: {wrong}; {environment.REMEDY}.'
      for wrong in environment.wrong_versions()]
  return found


def notes() -> list[str]:
  """Returns sentences on what an installed package may do without."""
  if environment.IS_CLONE:
    return []
  return [
      f'{what} also needs {", ".join(absent)}; {environment.remedy(absent)}.'
      for what, packages in (('Preparing data', environment.BEAM),
                             ('pipelines.run', environment.TFX))
      if (absent := environment.missing(packages))]


def report() -> list[str]:
  """Returns the lines that describe Python, the machine and the packages."""
  free_gb = shutil.disk_usage(os.getcwd()).free / 2**30
  lines = [
      f'Python       {platform.python_version()} ({sys.executable})',
      f'System       {platform.platform()}',
      f'CPU cores    {os.cpu_count()}',
      f'Free disk    {free_gb:.1f} GB in {os.getcwd()}',
  ]
  names = [*environment.REQUIRED.values(), *environment.OPTIONAL.values()]
  lines += [
      f'{name:<20} {environment.version(name) or "missing"}'
      for name in [*names, 'protobuf', 'tensorboard', 'setuptools']]
  return lines


def main() -> int:
  """Prints the report; returns 0 when all is well, else 1."""
  print('\n'.join(report() + notes()))
  found = problems()
  for problem in found:
    print(f'Problem: {problem}', file=sys.stderr)
  if not found:
    print('No problem found.')
  return 1 if found else 0


if __name__ == '__main__':
  sys.exit(main())
