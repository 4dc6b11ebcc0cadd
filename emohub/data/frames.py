"""Columns of Parquet files as one table in memory, a column at a time: long tables have millions of rows."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from emohub.data.parquet import broken, open_file


def read_frame(
    files: Sequence[str], wanted: Callable[[pa.Field], bool], repeated: Callable[[pa.Field], bool]
) -> pd.DataFrame:
    """The rows of some files, one after the other; null where a file lacks a column.

    Args:
        files: Paths, or hf:// addresses.
        wanted: Which columns to read.
        repeated: Which columns of text become categories, whose codes take a fraction of the memory.

    Raises:
        SourceError: a file is broken.
    """
    with ExitStack() as stack:
        tables = [_opened(stack, path, repeated) for path in files]
        fields = {field.name: None for table in tables for field in table.schema_arrow if wanted(field)}
        columns = {name: _column(name, files, tables) for name in fields}
    rows = pd.RangeIndex(sum(table.metadata.num_rows for table in tables))
    return pd.DataFrame(columns, index=rows, copy=False)


def _opened(stack: ExitStack, path: str, repeated: Callable[[pa.Field], bool]) -> pq.ParquetFile:
    try:
        file = stack.enter_context(open_file(path))
        table = pq.ParquetFile(file)
        texts = [field.name for field in table.schema_arrow if pa.types.is_string(field.type) and repeated(field)]
        return pq.ParquetFile(file, metadata=table.metadata, read_dictionary=texts)
    except (pa.ArrowException, OSError) as error:
        raise broken(path, error) from error


def _column(name: str, files: Sequence[str], tables: Sequence[pq.ParquetFile]) -> pd.Series:
    parts = []
    for path, table in zip(files, tables, strict=True):
        try:
            there = name in table.schema_arrow.names
            part = table.read(columns=[name]) if there else pa.table({name: pa.nulls(table.metadata.num_rows)})
        except (pa.ArrowException, OSError) as error:
            raise broken(path, error) from error
        parts.append(part)
    return pa.concat_tables(parts, promote_options="default").unify_dictionaries().to_pandas()[name]
