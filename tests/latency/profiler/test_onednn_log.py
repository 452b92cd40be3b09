import pytest

from lcvision.latency.profiler.kernel import describe
from lcvision.latency.profiler.onednn_log import LogError, convolution_key, parse_line, parse_log, pointwise_key

HEADER = """onednn_verbose,v1,info,oneDNN v3.12.0 (commit 80afa71049cd69a3df32adcccb623b12cd7baa22)
onednn_verbose,v1,info,cpu,runtime:OpenMP,nthr:1
onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,prop_kind,memory_descriptors,\
attributes,auxiliary,problem_desc,exec_time
"""
DEPTHWISE = """onednn_verbose,v1,primitive,exec,cpu,convolution,brdgmm_dw:avx512_core,forward_training,\
src:f32::blocked:acdb::f0 wei:f32:a:blocked:deAbc16a::f0 bia:f32:a:blocked:a::f0 dst:f32::blocked:acdb::f0,\
attr-scratchpad:user,alg:convolution_direct,g16mb1_ic16oc16_ih32oh32kh3sh1dh0ph1_iw32ow32kw3sw1dw0pw1,0.00512695"""
POINTWISE = """onednn_verbose,v1,primitive,exec,cpu,convolution,brgconv_1x1:avx512_core,forward_inference,\
src:f32::blocked:acdb::f0 wei:f32:a:blocked:Acdb32a::f0 bia:f32:a:blocked:a::f0 dst:f32::blocked:acdb::f0,\
attr-scratchpad:user attr-post-ops:eltwise_hardswish:0.166667:0.5,alg:convolution_direct,\
mb1_ic16oc32_ih32oh32kh1sh1dh0ph0_iw32ow32kw1sw1dw0pw0,0.0148926"""
GROUPED = """onednn_verbose,v1,primitive,exec,cpu,convolution,x64:gemm:jit,forward_training,\
src:f32:a:blocked:abcd::f0 wei:f32:a:blocked:abcde::f0 bia:undef::undef::: dst:f32:a:blocked:abcd::f0,\
attr-scratchpad:user,alg:convolution_direct,g4mb1_ic8oc12_ih16oh6kh3sh2dh1ph0_iw16ow6kw3sw2dw1pw0,65.7339"""
MATMUL = """onednn_verbose,v1,primitive,exec,cpu,matmul,brg_matmul:avx512_core_bf16,undef,\
src:bf16::blocked:ab::f0 wei:bf16::blocked:ba::f0 dst:bf16::blocked:ab::f0,\
attr-scratchpad:user attr-post-ops:sum,,64x512:512x256,0.153076"""
PRODUCT = """onednn_verbose,v1,primitive,exec,cpu,inner_product,brg_matmul:avx512_core,forward_inference,\
src:f32::blocked:ab::f0 wei:f32::blocked:ab::f0 bia:f32::blocked:a::f0 dst:f32::blocked:ab::f0,\
attr-scratchpad:user,,mb64ic512oc256,0.211914"""
REORDER = """onednn_verbose,v1,primitive,exec,cpu,reorder,jit:blk,undef,src:f32::blocked:abcde::f0 \
dst:f32::blocked:Abcde16a::f0,attr-scratchpad:user,,16x1x1x3x3,0.000976562"""
CREATED = DEPTHWISE.replace('exec', 'create:cache_hit')


@pytest.mark.parametrize('line, operation, kernel, isa, shape, macs, key', [
    (DEPTHWISE, 'convolution', 'brdgmm_dw', 'avx512_core', 'dw 3x3 16 32x32', 32 * 32 * 16 * 9,
     convolution_key((16, 1, 3, 3), 16, (32, 32))),
    (POINTWISE, 'convolution', 'brgconv_1x1', 'avx512_core', '1x1 16>32 32x32', 32 * 32 * 16 * 32,
     pointwise_key(32, 16, 1024)),
    (GROUPED, 'convolution', 'x64:gemm:jit', None, '3x3/2 8>12 g4 6x6', 6 * 6 * 12 * 2 * 9,
     convolution_key((12, 2, 3, 3), 8, (16, 16))),
    (MATMUL, 'matmul', 'brg_matmul', 'avx512_core_bf16', '64x512:512x256', 64 * 512 * 256,
     pointwise_key(256, 512, 64)),
    (PRODUCT, 'inner_product', 'brg_matmul', 'avx512_core', '512>256 x64', 64 * 512 * 256,
     pointwise_key(256, 512, 64)),
    (REORDER, 'reorder', 'jit:blk', None, '16x1x1x3x3', None, None),
])
def test_a_line_tells_kernel_and_sizes(line, operation, kernel, isa, shape, macs, key):
    primitive = parse_line(line)
    assert (primitive.operation, primitive.kernel, primitive.isa) == (operation, kernel, isa)
    assert describe(primitive) == shape and primitive.macs == macs and primitive.key == key
    assert primitive.us == pytest.approx(float(line.rpartition(',')[2]) * 1000)
    assert not primitive.is_reference


def test_only_executions_count_in_their_order():
    log = f'{HEADER}{CREATED}\n{REORDER}\nsomething else, exec\n\n{DEPTHWISE}\n'
    assert [primitive.operation for primitive in parse_log(log)] == ['reorder', 'convolution']


def test_older_form_and_time_stamp():
    assert parse_line(DEPTHWISE.replace(',v1,primitive', '')) == parse_line(DEPTHWISE)
    assert parse_line(DEPTHWISE.replace(',v1', ',v1,1733212.4')) == parse_line(DEPTHWISE)


@pytest.mark.parametrize('implementation, reference', [
    ('ref:any', True), ('gemm:ref', True), ('ref_int8:any', True), ('jit_dw:avx512_core', False), ('jit:blk', False),
    ('prefetch:any', False)])
def test_reference_kernels(implementation, reference):
    primitive = parse_line(DEPTHWISE.replace('brdgmm_dw:avx512_core', implementation))
    assert primitive.is_reference is reference


@pytest.mark.parametrize('line', [DEPTHWISE.rpartition(',')[0], DEPTHWISE + ',1', DEPTHWISE.replace('0.00512695', '?'),
                                  MATMUL.replace('64x512:512x256', '64')])
def test_an_unknown_form_is_shown(line):
    with pytest.raises(LogError, match=r'unknown form .*: onednn_verbose,v1,primitive,exec'):
        parse_line(line)
