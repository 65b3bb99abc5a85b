"""What runs when a compiled function is called, as LLVM text: a CPython vectorcall over tables that `entry.py` writes.

Headers of arrays, numbers and containers are read as CPython (64 bits, with the global lock) and NumPy lay them out.
"""

from .entry_arguments import ARGUMENTS
from .entry_results import RESULTS

_CALL = """
@array_type = external global i8
@dict_type = external global i8
@true_object = external global i8
@none_object = external global i8
@out_name = external global i8
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyTuple_New(i64)
declare ptr @PyObject_CallFunctionObjArgs(ptr, ...)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare void @PyErr_SetObject(ptr, ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare i64 @PyDict_Size(ptr)
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)
declare ptr @PyArray_NewFromDescr(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
declare i32 @PyArray_SetBaseObject(ptr, ptr)
declare ptr @PyArray_Scalar(ptr, ptr, ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

; what an instance holds behind its Python part: the function below, its first entry, the function of the long way, and
; how often an entry ran
%Callable = type { ptr, ptr, ptr, i64 }
%Entry = type {
  ptr, i64, i64, ptr,  ; 0: the next entry; 1: positional arguments; 2: keywords besides out=; 3: their names
  ptr, ptr, i64, i64,  ; 4: nodes of the arguments; 5: nodes of out=, or null; 6: inputs; 7: outputs
  ptr, ptr, i64, ptr,  ; 8: leaves; 9: results, or null; 10: how many inputs are donated; 11: their numbers
  i64, ptr, i64, ptr,  ; 12: fills; 13: slots and their leaves; 14: steps; 15: the steps
  ptr, ptr,            ; 16: what makes the result of a tuple (null: the only result, 1: a tuple); 17: shadows, or null
  i64, i64 }           ; 18: whether a call is under way; 19: whether others run meanwhile
%Leaf = type { ptr, ptr, ptr, ptr }  ; data, the first and the last byte + 1 of what may be touched, the object
%Result = type { i64, ptr, i64, ptr, ptr, ptr }  ; kind, dtype, rank, sizes, strides or null, cell or donor's leaf
%Step = type { i64, ptr, ptr, ptr }  ; 0: function, places, symbols; 1: flag, exception, message

define ptr @loopweld_call(ptr %self, ptr %args, i64 %counted, ptr %names) {
entry:
  %type.at = getelementptr i8, ptr %self, i64 8
  %type = load ptr, ptr %type.at
  %offset.at = getelementptr i8, ptr %type, i64 56
  %offset = load i64, ptr %offset.at
  %own = getelementptr i8, ptr %self, i64 %offset
  %first.at = getelementptr %Callable, ptr %own, i32 0, i32 1
  %first = load ptr, ptr %first.at
  %count = and i64 %counted, 9223372036854775807
  %positional = icmp eq ptr %names, null
  br i1 %positional, label %search, label %named
named:
  %size.at = getelementptr i8, ptr %names, i64 16
  %size = load i64, ptr %size.at
  br label %search
search:
  %keywords = phi i64 [ 0, %entry ], [ %size, %named ]
  br label %next
next:
  %this = phi ptr [ %first, %search ], [ %following, %missed ]
  %none = icmp eq ptr %this, null
  br i1 %none, label %long, label %try
try:
  %found = call ptr @attempt(ptr %this, ptr %args, i64 %count, ptr %names, i64 %keywords)
  %miss = icmp eq ptr %found, inttoptr (i64 1 to ptr)
  br i1 %miss, label %missed, label %done
missed:
  %following = load ptr, ptr %this
  br label %next
done:
  %calls.at = getelementptr %Callable, ptr %own, i32 0, i32 3
  %calls = load i64, ptr %calls.at
  %calls.next = add i64 %calls, 1
  store i64 %calls.next, ptr %calls.at
  ret ptr %found
long:
  %total = add i64 %count, %keywords
  %slots = add i64 %total, 1
  %copy = alloca ptr, i64 %slots
  store ptr %self, ptr %copy
  %rest = getelementptr ptr, ptr %copy, i64 1
  %bytes = shl i64 %total, 3
  call void @llvm.memcpy.p0.p0.i64(ptr %rest, ptr %args, i64 %bytes, i1 false)
  %python.at = getelementptr %Callable, ptr %own, i32 0, i32 2
  %python = load ptr, ptr %python.at
  %more = add i64 %count, 1
  %result = call ptr @PyObject_Vectorcall(ptr %python, ptr %copy, i64 %more, ptr %names)
  ret ptr %result
}

; The result, null with an exception, or 1: not for these arguments, and nothing was done. The tables are one call's:
; one that comes meanwhile, from another thread or a finaliser, finds nothing here.
define internal ptr @attempt(ptr %e, ptr %args, i64 %count, ptr %names, i64 %keywords) {
entry:
  %busy.at = getelementptr %Entry, ptr %e, i32 0, i32 18
  %busy = load i64, ptr %busy.at
  %idle = icmp eq i64 %busy, 0
  br i1 %idle, label %enter, label %no
enter:
  store i64 1, ptr %busy.at
  %found = call ptr @match(ptr %e, ptr %args, i64 %count, ptr %names, i64 %keywords)
  store i64 0, ptr %busy.at
  ret ptr %found
no:
  ret ptr inttoptr (i64 1 to ptr)
}

define internal ptr @match(ptr %e, ptr %args, i64 %count, ptr %names, i64 %keywords) {
entry:
  %want.count.at = getelementptr %Entry, ptr %e, i32 0, i32 1
  %want.count = load i64, ptr %want.count.at
  %want.names.at = getelementptr %Entry, ptr %e, i32 0, i32 2
  %want.names = load i64, ptr %want.names.at
  %names.list.at = getelementptr %Entry, ptr %e, i32 0, i32 3
  %names.list = load ptr, ptr %names.list.at
  %items = getelementptr i8, ptr %names, i64 TUPLE_ITEMS
  %total = add i64 %count, %want.names
  %same.count = icmp eq i64 %count, %want.count
  %same.names = icmp eq i64 %keywords, %want.names
  br i1 %same.count, label %counted, label %no
counted:
  br i1 %same.names, label %name, label %extra
extra:
  %one.more = add i64 %want.names, 1
  %is.one.more = icmp eq i64 %keywords, %one.more
  br i1 %is.one.more, label %last, label %no
last:
  %last.at = getelementptr ptr, ptr %items, i64 %want.names
  %last.name = load ptr, ptr %last.at
  %is.out = icmp eq ptr %last.name, @out_name
  br i1 %is.out, label %given, label %no
given:
  %out.at = getelementptr ptr, ptr %args, i64 %total
  %out.object = load ptr, ptr %out.at
  %is.none = icmp eq ptr %out.object, @none_object
  %out.given = select i1 %is.none, ptr null, ptr %out.object
  br label %name
name:
  %out = phi ptr [ null, %counted ], [ %out.given, %given ], [ %out, %name.same ]
  %n = phi i64 [ 0, %counted ], [ 0, %given ], [ %n.next, %name.same ]
  %names.left = icmp slt i64 %n, %want.names
  br i1 %names.left, label %name.test, label %named
name.test:
  %name.at = getelementptr ptr, ptr %items, i64 %n
  %name.found = load ptr, ptr %name.at
  %want.name.at = getelementptr ptr, ptr %names.list, i64 %n
  %want.name = load ptr, ptr %want.name.at
  %same.name = icmp eq ptr %name.found, %want.name
  br i1 %same.name, label %name.same, label %no
name.same:
  %n.next = add i64 %n, 1
  br label %name
named:
  %nodes.at = getelementptr %Entry, ptr %e, i32 0, i32 4
  %nodes = load ptr, ptr %nodes.at
  %leaves.at = getelementptr %Entry, ptr %e, i32 0, i32 8
  %leaves = load ptr, ptr %leaves.at
  %inputs.at = getelementptr %Entry, ptr %e, i32 0, i32 6
  %inputs = load i64, ptr %inputs.at
  %outputs.at = getelementptr %Entry, ptr %e, i32 0, i32 7
  %outputs = load i64, ptr %outputs.at
  br label %argument
argument:
  %k = phi i64 [ 0, %named ], [ %k.next, %argument.taken ]
  %node = phi ptr [ %nodes, %named ], [ %node.next, %argument.taken ]
  %arguments = icmp slt i64 %k, %total
  br i1 %arguments, label %argument.take, label %taken
argument.take:
  %argument.at = getelementptr ptr, ptr %args, i64 %k
  %argument.object = load ptr, ptr %argument.at
  %node.next = call ptr @take(ptr %node, ptr %argument.object)
  %wrong = icmp eq ptr %node.next, null
  br i1 %wrong, label %no, label %argument.taken
argument.taken:
  %k.next = add i64 %k, 1
  br label %argument
taken:
  %fresh = icmp eq ptr %out, null
  br i1 %fresh, label %new, label %into
new:
  %results.at = getelementptr %Entry, ptr %e, i32 0, i32 9
  %results = load ptr, ptr %results.at
  %no.results = icmp eq ptr %results, null
  br i1 %no.results, label %no, label %donated
donated:
  %donations.at = getelementptr %Entry, ptr %e, i32 0, i32 10
  %donations = load i64, ptr %donations.at
  %donors.at = getelementptr %Entry, ptr %e, i32 0, i32 11
  %donors = load ptr, ptr %donors.at
  br label %donor
donor:
  %d = phi i64 [ 0, %donated ], [ %d.next, %donor.apart ]
  %donors.left = icmp slt i64 %d, %donations
  br i1 %donors.left, label %donor.test, label %make
donor.test:
  %donor.at = getelementptr i64, ptr %donors, i64 %d
  %donor.number = load i64, ptr %donor.at
  %donor.alone = call i1 @is_alone(ptr %leaves, i64 %donor.number, i64 %inputs)
  br i1 %donor.alone, label %donor.apart, label %no
donor.apart:
  %d.next = add i64 %d, 1
  br label %donor
make:
  %made = call ptr @hold(ptr %e, ptr %leaves, ptr null, i64 %inputs)
  ret ptr %made
into:
  %out.nodes.at = getelementptr %Entry, ptr %e, i32 0, i32 5
  %out.nodes = load ptr, ptr %out.nodes.at
  %no.out = icmp eq ptr %out.nodes, null
  br i1 %no.out, label %no, label %into.take
into.take:
  %out.end = call ptr @take(ptr %out.nodes, ptr %out)
  %out.wrong = icmp eq ptr %out.end, null
  br i1 %out.wrong, label %no, label %into.taken
into.taken:
  %all = add i64 %inputs, %outputs
  br label %target
target:
  %t = phi i64 [ %inputs, %into.taken ], [ %t.next, %target.apart ]
  %targets.left = icmp slt i64 %t, %all
  br i1 %targets.left, label %target.test, label %write
target.test:
  %target.alone = call i1 @is_alone(ptr %leaves, i64 %t, i64 %t)
  br i1 %target.alone, label %target.apart, label %no
target.apart:
  %t.next = add i64 %t, 1
  br label %target
write:
  %written = call ptr @hold(ptr %e, ptr %leaves, ptr %out, i64 %all)
  ret ptr %written
no:
  ret ptr inttoptr (i64 1 to ptr)
}

; Compute, with references to the first `count` leaves where other threads could drop theirs.
define internal ptr @hold(ptr %e, ptr %leaves, ptr %out, i64 %count) {
entry:
  %shared.at = getelementptr %Entry, ptr %e, i32 0, i32 19
  %shared = load i64, ptr %shared.at
  %alone = icmp eq i64 %shared, 0
  br i1 %alone, label %plain, label %next
plain:
  %found = call ptr @compute(ptr %e, ptr %leaves, ptr %out)
  ret ptr %found
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %kept ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %test, label %held
test:
  %object.at = getelementptr %Leaf, ptr %leaves, i64 %k, i32 3
  %object = load ptr, ptr %object.at
  %number = icmp eq ptr %object, null
  br i1 %number, label %kept, label %keep
keep:
  call void @Py_IncRef(ptr %object)
  br label %kept
kept:
  %k.next = add i64 %k, 1
  br label %next
held:
  %result = call ptr @compute(ptr %e, ptr %leaves, ptr %out)
  call void @drop_results(ptr %leaves, i64 0, i64 %count)
  ret ptr %result
}

; The call's result, or null with an exception.
define internal ptr @compute(ptr %e, ptr %leaves, ptr %out) {
entry:
  %inputs.at = getelementptr %Entry, ptr %e, i32 0, i32 6
  %inputs = load i64, ptr %inputs.at
  %outputs.at = getelementptr %Entry, ptr %e, i32 0, i32 7
  %outputs = load i64, ptr %outputs.at
  %shadows.at = getelementptr %Entry, ptr %e, i32 0, i32 17
  %shadows = load ptr, ptr %shadows.at
  %direct = icmp eq ptr %shadows, null
  %fresh = icmp eq ptr %out, null
  br i1 %fresh, label %make, label %shadow
make:
  %results.at = getelementptr %Entry, ptr %e, i32 0, i32 9
  %results = load ptr, ptr %results.at
  %made = call i1 @make_results(ptr %results, ptr %leaves, i64 %inputs, i64 %outputs)
  br i1 %made, label %run, label %failed
shadow:
  br i1 %direct, label %run, label %shaded
shaded:
  call void @use_shadows(ptr %shadows, ptr %leaves, i64 %inputs, i64 %outputs)
  br label %run
run:
  %ran = call i1 @run_steps(ptr %e)
  br i1 %ran, label %finish, label %failed
finish:
  br i1 %fresh, label %pack, label %written
written:
  br i1 %direct, label %out.ready, label %unshade
unshade:
  call void @copy_shadows(ptr %shadows, ptr %leaves, i64 %inputs, i64 %outputs)
  br label %out.ready
out.ready:
  call void @Py_IncRef(ptr %out)
  ret ptr %out
pack:
  %packed = call ptr @pack_results(ptr %e, ptr %leaves, i64 %inputs, i64 %outputs)
  ret ptr %packed
failed:
  br i1 %fresh, label %drop, label %raise
drop:
  call void @drop_results(ptr %leaves, i64 %inputs, i64 %outputs)
  ret ptr null
raise:
  ret ptr null
}
"""

TEXT = (_CALL + ARGUMENTS + RESULTS).replace("TUPLE_ITEMS", str(tuple.__basicsize__))
"""Exports `loopweld_call`, the vectorcall of all compiled functions."""
