"""Any COCO-format folder is found as it lies; a wrong one is told in a sentence that names file and ids."""
import json
import os
import re
from pathlib import Path

import coco_like
import pytest
from mmdet.datasets import CocoDataset
from mmengine.registry import DATASETS

import lcvision.datasets  # noqa: F401
from lcvision.datasets.coco_folder import check_coco, find, read_coco
from lcvision.errors import UserError
from tests.mistakes import message


@pytest.fixture
def root(tmp_path):
    return coco_like.folder(tmp_path / 'set')


def spoil(root, change, split='val'):
    """Changes the json of a split; returns its path."""
    path = root / 'annotations' / f'instances_{split}2017.json'
    value = json.loads(path.read_text())
    change(value)
    return coco_like.write(path, value)


@pytest.mark.parametrize('split', ['train', 'val'])
def test_the_layout_of_coco_is_found(root, split):
    found = find(root, split)
    assert found.place == root / 'annotations' / f'instances_{split}2017.json'
    assert found.dataset['data_prefix']['img'] == str(root / f'{split}2017')
    assert found.classes == coco_like.CLASSES and found.num_images == 2


@pytest.mark.parametrize('ann_file, images', [
    ('annotations/instances_val.json', 'val'), ('annotations/my_val_set.json', 'images/val'), ('val.json', 'images'),
    ('annotations/val.json', 'val2017'), ('annotations/instances_val2014.json', 'val2014'), ('val_coco.json', '.'),
    ('annotations/instances_val.json', 'images/val2017'), ('annotations/instances_validation.json', 'validation')])
def test_other_layouts_are_found(tmp_path, ann_file, images):
    coco_like.draw(tmp_path / images)
    path = coco_like.write(tmp_path / ann_file, coco_like.content())
    found = find(tmp_path, 'val')
    assert found.place == path
    assert Path(found.dataset['data_prefix']['img']).resolve() == (tmp_path / images).resolve()


def test_file_names_may_lie_deeper(tmp_path):
    names = ('a/1.jpg', 'a/b/2.jpg', 'c/1.jpg')
    coco_like.draw(tmp_path / 'images', names)
    coco_like.write(tmp_path / 'annotations/val.json', coco_like.content(names))
    assert find(tmp_path, 'val').dataset['data_prefix'] == dict(img=str(tmp_path / 'images'))
    (tmp_path / 'images/a/b/2.jpg').unlink()
    assert 'a/b/2.jpg' in message(find, tmp_path, 'val')


@pytest.mark.parametrize('others, wanted', [
    (['captions_val2017.json', 'person_keypoints_val2017.json'], 'instances_val2017.json'),
    (['instances_minival2017.json', 'instances_trainval2017.json'], 'instances_val2017.json'),
    (['trainval.json', 'train.json'], 'val.json'),
    (['instances_trainval.json'], 'val_boxes.json'),
    (['captions_val.json'], 'instances_val.json')])
def test_the_likeliest_of_several_files_is_taken(tmp_path, others, wanted):
    coco_like.draw(tmp_path / 'images')
    for name in (*others, wanted):
        coco_like.write(tmp_path / 'annotations' / name, coco_like.content() if name == wanted else {})
    assert find(tmp_path, 'val').place.name == wanted


@pytest.mark.parametrize('split', ['train', 'val'])
def test_a_folder_without_annotations_is_no_coco(tmp_path, split):
    coco_like.draw(tmp_path / 'images')
    text = message(find, tmp_path, split)
    assert f'{tmp_path} is not in COCO layout' in text and f'annotations/instances_{split}2017.json' in text


def test_a_missing_file_is_told_with_the_ways_out(tmp_path):
    text = message(read_coco, tmp_path / 'none.json')
    assert str(tmp_path / 'none.json') in text and '--data DIR' in text and '--data sample' in text


@pytest.mark.parametrize('text', ['', '{"images": [', 'id,name\n1,cup', '[' * 100_000],
                         ids=['empty', 'torn', 'csv', 'deep'])
def test_what_is_no_json_is_named(root, text):
    path = root / 'annotations' / 'instances_val2017.json'
    path.write_text(text)
    assert f'{path} is not a json file' in message(find, root, 'val')


def test_what_cannot_be_read_is_named(tmp_path):
    path = tmp_path / 'annotations' / 'val.json'
    path.mkdir(parents=True)
    assert str(path) in message(find, tmp_path, 'val')
    (tmp_path / 'bytes.json').write_bytes(b'\xff\xfe\x00{')
    assert str(tmp_path / 'bytes.json') in message(read_coco, tmp_path / 'bytes.json')


@pytest.mark.parametrize('value, lacking', [
    ({}, 'images, annotations, categories'), ([], 'images'), ('text', 'images'), (None, 'images'),
    ({'images': [], 'annotations': []}, 'categories'), ({'images': {}, 'annotations': [], 'categories': []}, 'images')],
    ids=str)
def test_a_json_that_is_not_cocos_is_named(tmp_path, value, lacking):
    path = coco_like.write(tmp_path / 'val.json', value)
    text = message(read_coco, path)
    assert f'{path} is not in COCO format: it has no list {lacking}' in text


@pytest.mark.parametrize('name, key', [
    ('images', 'id'), ('images', 'file_name'), ('images', 'width'), ('annotations', 'image_id'),
    ('annotations', 'category_id'), ('annotations', 'bbox'), ('annotations', 'area'), ('annotations', 'iscrowd'),
    ('categories', 'name')])
def test_a_missing_field_is_named(root, name, key):
    path = spoil(root, lambda value: value[name][1].pop(key))
    text = message(find, root, 'val')
    assert f"{path}: entry 1 of '{name}' has no {key}; each needs " in text


@pytest.mark.parametrize('name, key, value', [
    ('images', 'id', None), ('images', 'id', [1]), ('images', 'file_name', 7), ('images', 'height', '32'),
    ('annotations', 'category_id', {'id': 3}), ('annotations', 'bbox', 'x'), ('annotations', 'area', None),
    ('annotations', 'iscrowd', '0'), ('categories', 'name', None), ('annotations', 'iscrowd', 2 ** 63),
    ('images', 'width', float('nan')), ('annotations', 'area', float('inf'))])
def test_a_field_of_another_kind_is_named(root, name, key, value):
    path = spoil(root, lambda content: content[name][0].update({key: value}))
    text = message(find, root, 'val')
    assert f"{path}: entry 0 of '{name}' has {key} {value!r}; it must be " in text


@pytest.mark.parametrize('name, key', [('images', 'id'), ('annotations', 'id'), ('images', 'width')])
def test_a_number_beyond_every_reader_is_told_briefly(root, name, key):
    path = spoil(root, lambda content: content[name][0].update({key: 10 ** 400}))
    assert f"{path}: entry 0 of '{name}' has {key} 1000" in message(find, root, 'val')


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'utf-32'])
def test_a_json_that_pycocotools_cannot_read_is_told(root, encoding):
    path = root / 'annotations' / 'instances_val2017.json'
    path.write_text(path.read_text(), encoding=encoding)
    text = message(find, root, 'val')
    assert f'{path} is written in {encoding}' in text and 'UTF-8' in text


@pytest.mark.parametrize('name', ['a' * 300 + '.jpg', 'a' * 300 + '/1.jpg', 'a\0.jpg'])
def test_a_name_that_no_file_can_have_is_a_missing_image(root, name):
    spoil(root, lambda content: content['images'][0].update(file_name=name))
    assert message(find, root, 'val').startswith('1 of 2 images')


def test_a_pipe_is_no_annotation_file(tmp_path):
    os.mkfifo(tmp_path / 'val.json')
    assert 'is not in COCO layout' in message(find, tmp_path, 'val')


def test_many_unknown_ids_are_counted_at_once(root):
    # With a list for the unknown ids this took minutes.
    spoil(root, lambda content: content['annotations'].extend(coco_like.annotation(200 + i, 200 + i)
                                                              for i in range(60_000)))
    assert '60000 annotations have an unknown image_id' in message(find, root, 'val')


def test_what_was_taken_of_several_is_told(root, monkeypatch):
    told = []
    monkeypatch.setattr('lcvision.datasets.layout.print_log', lambda text, logger: told.append(text))
    find(root, 'val')
    assert not told
    coco_like.write(root / 'annotations' / 'captions_val2017.json', {})
    coco_like.draw(root / 'images')
    find(root, 'val')
    files, folders = told
    annotations = root / 'annotations'
    assert f"{annotations / 'instances_val2017.json'} is taken, not {annotations / 'captions_val2017.json'} (" in files
    assert f"{root / 'val2017'} is taken, not {root / 'images'} (" in folders


def test_an_entry_that_is_no_object_is_named(root):
    spoil(root, lambda content: content['images'].insert(1, 'x.jpg'))
    assert "entry 1 of 'images' has no id, file_name, height, width" in message(find, root, 'val')


@pytest.mark.parametrize('box', [[], [1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, '4'], [1, 2, 3, float('nan')],
                                 [1, 2, float('inf'), 4], [1, 2, 3, None]], ids=str)
def test_what_is_no_box_is_named(root, box):
    path = spoil(root, lambda content: content['annotations'][1].update(bbox=box, id=77))
    text = message(find, root, 'val')
    assert f'{path}: annotation 77 ' in text and '[x, y, width, height]' in text


def test_unknown_categories_are_counted_and_named(root):
    def change(content):
        content['annotations'] += [coco_like.annotation(90 + i, 11, category_id=c)
                                   for i, c in enumerate([5, 8, 5, 12, 99])]
    path = spoil(root, change)
    text = message(find, root, 'val')
    assert f'{path}: 5 annotations have an unknown category_id' in text
    assert all(str(unknown) in text for unknown in (5, 8, 12, 99))
    assert 'known are 3, 7' in text


def test_unknown_images_are_counted_and_named(root):
    path = spoil(root, lambda content: content['annotations'].append(coco_like.annotation(90, 4711)))
    text = message(find, root, 'val')
    assert f'{path}: 1 annotations have an unknown image_id (4711)' in text


@pytest.mark.parametrize('name, key, value', [('images', 'id', 11), ('annotations', 'id', 110), ('categories', 'id', 3),
                                              ('categories', 'name', 'cup')])
def test_what_occurs_twice_is_named(root, name, key, value):
    path = spoil(root, lambda content: content[name][1].update({key: value}))
    text = message(find, root, 'val')
    assert f'{path}: ' in text and f'{key} {value!r} occurs more than once' in text


@pytest.mark.parametrize('name, what', [('images', 'image'), ('categories', 'category')])
def test_ids_of_two_kinds_are_told(root, name, what):
    path = spoil(root, lambda content: content[name].append({**content[name][0], 'id': 'x', 'name': 'pan'}))
    assert f'{path}: some of the {what} ids are numbers' in message(find, root, 'val')


@pytest.mark.parametrize('name', ['images', 'categories'])
def test_an_empty_split_is_named(root, name):
    path = spoil(root, lambda content: content.update({name: [], 'annotations': []}))
    assert re.search(rf"{re.escape(str(path))} is empty: its list '{name}'", message(find, root, 'val'))


def test_a_split_without_annotations_is_legal(root):
    spoil(root, lambda content: content.update(annotations=[]))
    assert find(root, 'val').num_images == 2


@pytest.mark.parametrize('gone', ['1.jpg', '2.jpg'])
def test_a_missing_image_is_named(root, gone):
    (root / 'val2017' / gone).unlink()
    text = message(find, root, 'val')
    assert text.startswith('1 of 2 images') and gone in text and str(root / 'val2017') in text
    assert str(root / 'annotations' / 'instances_val2017.json') in text


def test_many_missing_images_are_counted(tmp_path):
    names = [f'{i:03}.jpg' for i in range(40)]
    path = coco_like.write(tmp_path / 'val.json', coco_like.content(names))
    text = message(check_coco, path, coco_like.draw(tmp_path / 'images', names[:5]))
    assert text.startswith('35 of 40 images') and '005.jpg' in text and '31 more' in text and '039.jpg' not in text


def test_a_missing_image_folder_is_named(tmp_path):
    coco_like.write(tmp_path / 'annotations/instances_val2017.json', coco_like.content())
    text = message(find, tmp_path, 'val')
    assert '2 of 2 images' in text and str(tmp_path / 'val2017') in text


def annotation(number, image, crowd=0, box=(5, 5, 20, 20), category=1):
    return {'id': number, 'image_id': image, 'category_id': category, 'iscrowd': crowd, 'bbox': list(box),
            'area': box[2] * box[3]}


@pytest.fixture
def ann_file(tmp_path):
    """Images: 1 a box, 2 none, 3 a crowd only, 4 a crowd and a box, 5 an invalid box only, 6 another class only."""
    content = {
        'images': [{'id': i, 'file_name': f'{i}.jpg', 'width': 60, 'height': 40 + i} for i in range(1, 7)],
        'categories': [{'id': 1, 'name': 'cell'}, {'id': 2, 'name': 'other'}],
        'annotations': [annotation(1, 1), annotation(2, 3, crowd=1), annotation(3, 4, crowd=1), annotation(4, 4),
                        annotation(5, 5, box=(100, 100, 5, 5)), annotation(6, 6, category=2)]}
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    return str(path)


def image_ids(kind, ann_file, **kwargs):
    dataset = DATASETS.build({'type': kind, 'ann_file': ann_file, 'data_prefix': {'img': ''},
                              'metainfo': {'classes': ('cell',)}, **kwargs})
    return [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]


def test_only_images_with_a_trainable_box_stay(ann_file):
    filtered = {'filter_cfg': {'filter_empty_gt': True, 'min_size': 0}}
    assert image_ids('lcvision.NonEmptyCocoDataset', ann_file, **filtered) == [1, 4]
    assert image_ids('mmdet.CocoDataset', ann_file, **filtered) == [1, 3, 4, 5]


@pytest.mark.parametrize('kwargs', [{}, {'filter_cfg': {'filter_empty_gt': False}},
                                    {'filter_cfg': {'filter_empty_gt': True}, 'test_mode': True}])
def test_nothing_is_filtered_unless_asked(ann_file, kwargs):
    assert image_ids('lcvision.NonEmptyCocoDataset', ann_file, **kwargs) == [1, 2, 3, 4, 5, 6]


def test_size_filter_of_mmdet_still_holds(ann_file):
    filtered = {'filter_cfg': {'filter_empty_gt': True, 'min_size': 43}}
    assert image_ids('lcvision.NonEmptyCocoDataset', ann_file, **filtered) == [4]


@pytest.mark.parametrize('empty, least', [(True, 0), (True, 43), (False, 43), (False, 0)])
@pytest.mark.parametrize('classes', [('cell',), ('cell', 'other')])
def test_the_check_before_a_run_counts_what_is_kept(ann_file, empty, least, classes):
    for i in range(1, 7):
        Path(ann_file).with_name(f'{i}.jpg').touch()
    filters = dict(filter_empty_gt=empty, min_size=least)
    kept = image_ids('lcvision.NonEmptyCocoDataset', ann_file, filter_cfg=filters, metainfo=dict(classes=classes))
    assert check_coco(Path(ann_file), Path(ann_file).parent, None, filters, classes).num_images == len(kept)


def test_a_set_without_any_box_is_named(ann_file):
    with pytest.raises(UserError, match=r'a\.json: none of its 6 images'):
        image_ids('lcvision.NonEmptyCocoDataset', ann_file, filter_cfg={'filter_empty_gt': True, 'min_size': 100})


def test_crowds_are_flagged_for_the_pipeline(ann_file):
    dataset = CocoDataset(ann_file=ann_file, data_prefix={'img': ''}, metainfo={'classes': ('cell',)})
    assert [box['ignore_flag'] for box in dataset.get_data_info(3)['instances']] == [1, 0]


POLYGONS = ([[1, 2, 3.5, 4, 5, 6], [7, 8, 9, 10]], [], {'counts': [3, 4, 5], 'size': [40, 60]}, [[1, 2, 3, 4, 5, 6]],
            {'counts': 'a]"{', 'size': []}, [[3, 4, 5, 6, 7, 8]])


@pytest.fixture(params=[None, 1], ids='indent {}'.format)
def with_polygons(ann_file, request):
    content = json.loads(Path(ann_file).read_text())
    for entry, polygons in zip(content['annotations'], POLYGONS, strict=True):
        entry |= {'caption': '"segmentation": [1, 2]', 'segmentation': polygons}
    Path(ann_file).write_text(json.dumps(content, indent=request.param))
    return ann_file


def test_polygons_are_not_read(with_polygons):
    content = json.loads(Path(with_polygons).read_text())
    for entry in content['annotations']:
        entry['segmentation'] = [] if isinstance(entry['segmentation'], list) else entry['segmentation']
    assert read_coco(Path(with_polygons)) == content


@pytest.mark.parametrize('masks', [True, False])
def test_a_file_with_polygons_gives_what_it_gives_in_mmdet(with_polygons, masks):
    steps = [{'type': 'mmdet.LoadAnnotations', 'with_mask': True}] if masks else []
    ours, theirs = (DATASETS.build(dict(type=kind, ann_file=with_polygons, data_prefix={'img': ''}, pipeline=steps,
                                        metainfo={'classes': ('other', 'cell')}))
                    for kind in ('lcvision.NonEmptyCocoDataset', 'mmdet.CocoDataset'))
    found, wanted = ([one.get_data_info(index) for index in range(len(one))] for one in (ours, theirs))
    for box in () if masks else (box for info in (*found, *wanted) for box in info['instances']):
        box.pop('mask', None)
    assert found == wanted
    assert ours.cat_img_map == theirs.cat_img_map and ours.cat_ids == theirs.cat_ids
