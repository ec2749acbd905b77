"""One real KServe model server for the demo: ``python -m hubctl.demo.modelserver --model_name M --model_dir D …``.

A program of its own because ``kserve`` reads ``sys.argv`` when it is imported and owns its process. It differs from
a server on a cluster in two ways only: it listens on 127.0.0.1 (kserve has no flag for that), and with
``--exit_with_stdin`` it ends when its standard input does, which happens however its parent dies.
"""

import argparse
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; names are kserve's, which reads the same ones."""
    parser = argparse.ArgumentParser(prog="python -m hubctl.demo.modelserver", description="serve one joblib model")
    parser.add_argument("--model_name", required=True)
    parser.add_argument("--model_dir", required=True, type=Path, help="folder that holds model.joblib")
    parser.add_argument("--http_port", required=True, type=int)
    parser.add_argument("--exit_with_stdin", action="store_true", help="end when standard input is closed")
    return parser.parse_args(arguments)


def end_with_stdin() -> None:
    """Ends the process at once when standard input is closed; waits in a thread that keeps nothing alive."""

    def wait() -> None:
        # Not sys.stdin: a thread that holds its lock aborts the interpreter's orderly end.
        while os.read(0, 4096):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="stdin", daemon=True).start()


def serve(name: str, folder: Path, port: int) -> None:
    """Serves ``folder/model.joblib`` under ``name`` until SIGTERM; kserve and scikit-learn are imported here.

    Raises:
        NoModelReady: kserve's own error: the model could not be loaded.
    """
    import joblib  # noqa: PLC0415 - after the watch on standard input: these imports take seconds
    import kserve  # noqa: PLC0415 - as above
    from kserve.utils.utils import get_predict_input, get_predict_response  # noqa: PLC0415 - as above

    class Joblib(kserve.Model):  # type: ignore[misc]
        """A scikit-learn pipeline behind both of KServe's protocols."""

        def load(self) -> bool:
            """Reads the model file."""
            self.pipeline = joblib.load(folder / "model.joblib")
            self.ready = True
            return True

        async def predict(self, payload: object, headers: object = None, response_headers: object = None) -> object:
            """One prediction per instance, in order, in the protocol of the request."""
            del headers, response_headers
            labels = self.pipeline.predict(get_predict_input(payload))
            return get_predict_response(payload, labels, self.name)

    class Loopback(kserve.ModelServer):  # type: ignore[misc]
        """A model server that only this machine can reach."""

        async def _serve(self) -> None:
            self._rest_server.config.host = "127.0.0.1"
            await super()._serve()

    model = Joblib(name)
    model.load()
    server = Loopback(http_port=port, workers=1, enable_grpc=False, enable_latency_logging=False, grace_period=3)
    server.start([model])


def main() -> None:
    """Entry point of the program."""
    wanted = parse()
    if wanted.exit_with_stdin:
        end_with_stdin()
    # One line a request would bury what matters; kserve leaves loggers alone that have a handler.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    serve(wanted.model_name, wanted.model_dir, wanted.http_port)


if __name__ == "__main__":
    main()
