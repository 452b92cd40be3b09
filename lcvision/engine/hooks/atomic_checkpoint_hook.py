"""Checkpoints that survive a kill at any moment."""
from contextlib import suppress
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import BaseStorageBackend, LocalBackend, get_file_backend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from lcvision.engine.finite import not_finite
from lcvision.errors import RunFailed, UserError
from lcvision.files import write_atomically
from lcvision.registry import HOOKS

_BACKEND = 'lcvision.atomic'
_INTERRUPTED = 'interrupted.pth'


class _AtomicBackend(LocalBackend):
    """Local files, written whole or not at all."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Writes a file; an existing one stays until the new one is on the disk."""
        write_atomically(filepath, obj)


register_backend(_BACKEND, _AtomicBackend, force=True)


class _LaterRemoval:
    """A file backend that removes nothing before :meth:`clear`."""

    def __init__(self, backend: BaseStorageBackend) -> None:
        self._backend = backend
        self.outdated: list[str] = []

    def __getattr__(self, name: str):
        return getattr(self._backend, name)

    def remove(self, filepath: str) -> None:
        self.outdated.append(str(filepath))

    rmtree = remove

    def clear(self, keep: set[str]) -> None:
        """Removes all that is outdated except for the names in ``keep``."""
        for path in self.outdated:
            with suppress(FileNotFoundError):  # another training in this folder was faster
                if Path(path).name in keep:
                    continue
                if self._backend.isfile(path):
                    self._backend.remove(path)
                elif self._backend.isdir(path):
                    self._backend.rmtree(path)
        self.outdated.clear()


def last_checkpoint(work_dir: str | Path, out_dir: str | None = None) -> Path | None:
    """Finds the newest checkpoint that a run wrote for resuming, ``out_dir`` being the hook's; None if there is none.

    Its path is in the folder as it is called now: a run that was moved or copied has the old one in its notes.
    """
    note = Path(work_dir, 'last_checkpoint')
    if not note.is_file():
        return None
    folder = Path(out_dir, note.parent.name) if out_dir else note.parent
    return folder / Path(note.read_text().strip()).name


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, but no kill and no full disk can destroy the last good checkpoint.

    A checkpoint is written beside its name and renamed when it is on the disk; ``last_checkpoint`` follows only then,
    in the same way; older checkpoints are removed last, or as the run that was killed meanwhile is resumed. After a
    validation the checkpoint is written again, with what was found. An error while saving is raised, and so are weights
    that are not finite.

    The arguments are those of mmengine's hook. Remote folders (``out_dir='s3://...'``) and ``backend_args`` of another
    backend are served as mmengine serves them.

    Differs: mmengine writes to the final name, and removes the checkpoint that ``max_keep_ckpts`` or ``save_best``
        replaces before it writes the new one. A checkpoint's ``meta['config']``, which mmengine would execute on
        resuming and never writes itself, is ignored. The copies of ``published_keys`` are written by mmengine.
    """

    # So that save_best needs no rule for the metrics that CPULatencyHook adds.
    _default_greater_keys = [*CheckpointHook._default_greater_keys, 'joint/score']
    _default_less_keys = [*CheckpointHook._default_less_keys, 'latency/']

    backend_args: dict | None
    file_backend: BaseStorageBackend
    last_ckpt: str | None

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        if self.file_client_args is None and not self.backend_args and type(self.file_backend) is LocalBackend:
            self.backend_args = dict(backend=_BACKEND)
            self.file_backend = get_file_backend(self.out_dir, backend_args=self.backend_args)
        # A copied run must not remove the best checkpoint of the original.
        if best := getattr(self, 'best_ckpt_path', None):
            self.best_ckpt_path = self._here(best)
        for key, path in getattr(self, 'best_ckpt_path_dict', {}).items():
            self.best_ckpt_path_dict[key] = path and self._here(path)
        if last := runner.message_hub.get_info('last_ckpt'):
            self.last_ckpt = self._here(last)
        self.file_backend = _LaterRemoval(self.file_backend)
        self.file_backend.outdated += map(self._here, runner.message_hub.get_info('superseded') or ())
        self._clear(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        step, self._saved = runner.epoch if self.by_epoch else runner.iter, False
        super().after_val_epoch(runner, metrics)
        of_now = self.filename_tmpl.format(step), _INTERRUPTED
        if not self._saved and self.last_ckpt and Path(self.last_ckpt).name in of_now:
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=runner.iter))

    def save_interrupted(self, runner: Runner, iteration: int) -> str:
        """Saves a run after so many iterations, anywhere in it, to go on from there; returns the path."""
        self._write(runner, _INTERRUPTED, dict(epoch=runner.epoch, iter=iteration))
        return self._here(_INTERRUPTED)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        for part in ('state_dict', 'ema_state_dict'):
            if bad := not_finite(checkpoint.get(part, {})):
                raise RunFailed(f'training diverged before iteration {runner.iter + 1}: {len(bad)} entries of the '
                                f"checkpoint's {part} are not finite, the first is {bad[0]}; nothing was written, and "
                                f'the checkpoints in {self.out_dir} are untouched')

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        meta = checkpoint.get('meta')
        if isinstance(meta, dict) and meta.pop('config', None) is not None:
            runner.logger.warning('The config inside the checkpoint is ignored: it is code, and the run has its own.')

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        self._keep(runner, step)
        runner.message_hub.update_info('superseded', [Path(path).name for path in self.file_backend.outdated])
        self._write(runner, self.filename_tmpl.format(step), meta)
        self.file_backend.remove(self._here(_INTERRUPTED))
        self._clear(runner)
        self._saved = True

    def _write(self, runner: Runner, name: str, meta: dict) -> None:
        self.last_ckpt = self._here(name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(self.out_dir, name, self.file_client_args, self.save_optimizer,
                               self.save_param_scheduler, meta, self.by_epoch, self.backend_args, **self.args)
        if is_main_process():
            write_atomically(Path(runner.work_dir, 'last_checkpoint'), self.last_ckpt.encode())

    def _keep(self, runner: Runner, step: int) -> None:
        """Notes a step as one to keep, also in the checkpoint to be written, and the steps that it pushes out."""
        if self.max_keep_ckpts <= 0 or (self.keep_ckpt_ids and self.keep_ckpt_ids[-1] == step):
            return
        kept = [*self.keep_ckpt_ids, step]
        for old in kept[:-self.max_keep_ckpts]:
            if old not in kept[-self.max_keep_ckpts:]:
                self.file_backend.remove(self._here(self.filename_tmpl.format(old)))
        self.keep_ckpt_ids.append(step)  # the deque forgets the oldest by itself
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))

    def _clear(self, runner: Runner) -> None:
        """Removes what is outdated; a run that repeats an epoch may have given the new best the name of the old."""
        note = last_checkpoint(runner.work_dir)
        best = [getattr(self, 'best_ckpt_path', None), *getattr(self, 'best_ckpt_path_dict', {}).values()]
        if is_main_process():
            self.file_backend.clear({Path(path).name for path in (note, *best) if path})

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        wanted = [key for key in getattr(self, 'key_indicators', []) if key != 'auto']
        # A detector that finds nothing yet has no mAP at all; its latency alone makes nothing the best.
        missing = [key for key in wanted if key not in metrics]
        self._check_keys(runner, missing, metrics)
        if missing or all(key.startswith('latency/') for key in metrics):
            return
        super()._save_best_checkpoint(runner, metrics)
        self._clear(runner)

    def _check_keys(self, runner: Runner, missing: list[str], metrics: dict) -> None:
        evaluators = {evaluator.prefix or '' for evaluator in runner.val_loop.evaluator.metrics}
        silent = evaluators - {key.rpartition('/')[0] for key in metrics}
        wrong = [key for key in missing if key.rpartition('/')[0] not in silent]
        if wrong:
            raise UserError(f'save_best={", ".join(wrong)}: there is no such metric, only {", ".join(metrics)}; '
                            'continue with --resume --cfg-options default_hooks.checkpoint.save_best=KEY')

    def _here(self, path: str) -> str:
        return self.file_backend.join_path(self.out_dir, Path(path).name)
