"""Lists of classes, with and without colours."""
import pytest

from lcvision.datasets.class_list import ClassList, read_class_list
from lcvision.errors import UserError


@pytest.mark.parametrize('text, expected', [
    ('road\ncar\n', ClassList(('road', 'car'))),
    ('\ntraffic light\r\n\n  class 3  \n', ClassList(('traffic light', 'class 3'))),
    ('road 128 64 128\ntraffic light\t250, 170, 30', ClassList(('road', 'traffic light'),
                                                               ((128, 64, 128), (250, 170, 30)))),
    ('\ufeffa 1 2 3\nignore 0 0 0\nb 4 5 6\nignore 9 9 9', ClassList(('a', 'b'), ((1, 2, 3), (4, 5, 6)),
                                                                   ((0, 0, 0), (9, 9, 9)))),
    ('1 2 3 4\na, b ,, 10 20 30', ClassList(('1', 'a, b'), ((2, 3, 4), (10, 20, 30)))),
    # Tried in every way, this line would take hours.
    ('a' + ', ' * 20_000 + '1\n1 2 3', ClassList(('a' + ', ' * 20_000 + '1', '1 2 3'))),
], ids=range(6))
def test_read(tmp_path, text, expected):
    path = tmp_path / 'classes.txt'
    path.write_text(text, encoding='utf-8')
    assert read_class_list(path) == expected


@pytest.mark.parametrize('text, said', [
    ('', 'lists 0 classes'), ('\n \n', 'lists 0 classes'), ('\n'.join(map(str, range(256))), 'lists 256 classes'),
    ('a\nb\na', "class 'a' on more than one line"), ('a 1 2 3\nb 1 2 3', 'colour (1, 2, 3) on more than one line'),
    ('a 1 2 3\nb', "no colour for 'b'"), ('a\nignore', "no colour for 'ignore'"), ('a 1 2 256', '1 2 256'),
])
def test_faults_are_told(tmp_path, text, said):
    path = tmp_path / 'classes.txt'
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_class_list(path)
    assert str(path) in str(error.value) and said in str(error.value) and '\n' not in str(error.value)


def test_what_is_no_text_is_told(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_bytes(b'\xff\xfe\x00r')
    with pytest.raises(UserError, match='UTF-8'):
        read_class_list(path)
    with pytest.raises(UserError, match='none'):
        read_class_list(tmp_path / 'none.txt')
