"""Lists and tables as text."""
from lcvision.text import WIDTH, listing, shorten, table


def test_a_list_says_how_many_more_there_are():
    assert listing([]) == '' and listing('ab') == 'a, b' and listing([1, 2, 3], 3) == '1, 2, 3'
    assert listing(list(range(9)), 2) == '0, 1, and 7 more'


def test_the_end_of_a_name_stays():
    assert shorten('short', 5) == 'short'
    assert shorten('picodet_mobilenetv3_large_0_35x', 16) == 'picod~arge_0_35x'


def test_numbers_stand_to_the_right_and_text_to_the_left():
    assert table([('model', 'ms', ''), ('a', '10.5', '*'), ('long', '9', '')]) == [
        'model    ms', '--------------', 'a      10.5  *', 'long      9']


def test_a_table_fits_and_its_longest_names_are_cut():
    rows = [('layer', 'kernel', 'us'), ('backbone.' * 12 + 'conv', 'jit:' * 20 + 'uni', '1.0'), ('x', 'y', '12.0')]
    lines = table(rows, left=(0, 1))
    assert max(map(len, lines)) == WIDTH and '.conv  ' in lines[2] and ':uni   1.0' in lines[2]
    assert lines[3].startswith('x ') and lines[3].endswith(' 12.0') and '\n'.join(lines).isascii()
