"""What runs when a compiled function is called, as LLVM text: a CPython vectorcall over tables that `entry.py` writes.

Headers of arrays, numbers and containers are read as CPython (64 bits, with the global lock) and NumPy lay them out.
"""

_TEXT = """
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
  ptr, ptr, i64, ptr,  ; 8: leaves; 9: results; 10: how many inputs are donated; 11: their numbers
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
  br i1 %fresh, label %donated, label %into
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

; Where the nodes after this one begin; null where the object is not what the node says.
define internal ptr @take(ptr %node, ptr %object) {
entry:
  %kind = load i64, ptr %node
  %w1.at = getelementptr i64, ptr %node, i64 1
  %w2.at = getelementptr i64, ptr %node, i64 2
  %w3.at = getelementptr i64, ptr %node, i64 3
  %w4.at = getelementptr i64, ptr %node, i64 4
  %w1 = load ptr, ptr %w1.at
  %type.at = getelementptr i8, ptr %object, i64 8
  %type = load ptr, ptr %type.at
  %payload = getelementptr i8, ptr %object, i64 16
  switch i64 %kind, label %number [ i64 0, label %array
                                    i64 1, label %sequence
                                    i64 2, label %dictionary
                                    i64 3, label %constant ]
array:
  %is.array = icmp eq ptr %type, @array_type
  br i1 %is.array, label %fields, label %no
fields:
  %data = load ptr, ptr %payload
  %rank.at = getelementptr i8, ptr %object, i64 24
  %rank32 = load i32, ptr %rank.at
  %rank = sext i32 %rank32 to i64
  %dims.at = getelementptr i8, ptr %object, i64 32
  %dims = load ptr, ptr %dims.at
  %strides.at = getelementptr i8, ptr %object, i64 40
  %strides = load ptr, ptr %strides.at
  %descr.at = getelementptr i8, ptr %object, i64 56
  %descr = load ptr, ptr %descr.at
  %flags.at = getelementptr i8, ptr %object, i64 64
  %flags32 = load i32, ptr %flags.at
  %flags = zext i32 %flags32 to i64
  %want.descr = load ptr, ptr %w2.at
  %want.flags = load i64, ptr %w3.at
  %want.rank = load i64, ptr %w4.at
  %same.descr = icmp eq ptr %descr, %want.descr
  %same.rank = icmp eq i64 %rank, %want.rank
  %has.flags = and i64 %flags, %want.flags
  %same.flags = icmp eq i64 %has.flags, %want.flags
  %ok1 = and i1 %same.descr, %same.rank
  %ok2 = and i1 %ok1, %same.flags
  %sizes = getelementptr i64, ptr %node, i64 7
  %steps = getelementptr i64, ptr %sizes, i64 %rank
  br i1 %ok2, label %axis, label %no
axis:
  %a = phi i64 [ 0, %fields ], [ %a.next, %axis.same ]
  %axes = icmp slt i64 %a, %rank
  br i1 %axes, label %compare, label %keep
compare:
  %n.at = getelementptr i64, ptr %dims, i64 %a
  %n = load i64, ptr %n.at
  %s.at = getelementptr i64, ptr %strides, i64 %a
  %s = load i64, ptr %s.at
  %want.n.at = getelementptr i64, ptr %sizes, i64 %a
  %want.n = load i64, ptr %want.n.at
  %want.s.at = getelementptr i64, ptr %steps, i64 %a
  %want.s = load i64, ptr %want.s.at
  %same.n = icmp eq i64 %n, %want.n
  %same.s = icmp eq i64 %s, %want.s
  %ok3 = and i1 %same.n, %same.s
  br i1 %ok3, label %axis.same, label %no
axis.same:
  %a.next = add i64 %a, 1
  br label %axis
keep:
  %low.at = getelementptr i64, ptr %node, i64 5
  %low = load i64, ptr %low.at
  %high.at = getelementptr i64, ptr %node, i64 6
  %high = load i64, ptr %high.at
  %begin = getelementptr i8, ptr %data, i64 %low
  %end = getelementptr i8, ptr %data, i64 %high
  %leaf.begin = getelementptr %Leaf, ptr %w1, i32 0, i32 1
  %leaf.end = getelementptr %Leaf, ptr %w1, i32 0, i32 2
  %leaf.object = getelementptr %Leaf, ptr %w1, i32 0, i32 3
  store ptr %data, ptr %w1
  store ptr %begin, ptr %leaf.begin
  store ptr %end, ptr %leaf.end
  store ptr %object, ptr %leaf.object
  %array.end = getelementptr i64, ptr %steps, i64 %rank
  ret ptr %array.end

sequence:
  %type.b = load ptr, ptr %w2.at
  %is.a = icmp eq ptr %type, %w1
  %is.b = icmp eq ptr %type, %type.b
  %is.sequence = or i1 %is.a, %is.b
  br i1 %is.sequence, label %length, label %no
length:
  %length.found = load i64, ptr %payload
  %length.want = load i64, ptr %w3.at
  %is.length = icmp eq i64 %length.found, %length.want
  br i1 %is.length, label %items, label %no
items:
  %type.flags.at = getelementptr i8, ptr %type, i64 168
  %type.flags = load i64, ptr %type.flags.at
  %list.flag = and i64 %type.flags, 33554432  ; Py_TPFLAGS_LIST_SUBCLASS
  %is.list = icmp ne i64 %list.flag, 0
  %children = getelementptr i64, ptr %node, i64 4
  br i1 %is.list, label %list, label %tuple
list:
  %list.items.at = getelementptr i8, ptr %object, i64 24
  %list.items = load ptr, ptr %list.items.at
  br label %element
tuple:
  %tuple.items = getelementptr i8, ptr %object, i64 TUPLE_ITEMS
  br label %element
element:
  %i = phi i64 [ 0, %list ], [ 0, %tuple ], [ %i.next, %element.taken ]
  %child = phi ptr [ %children, %list ], [ %children, %tuple ], [ %child.next, %element.taken ]
  %elements = phi ptr [ %list.items, %list ], [ %tuple.items, %tuple ], [ %elements, %element.taken ]
  %elements.left = icmp slt i64 %i, %length.want
  br i1 %elements.left, label %element.take, label %sequence.done
element.take:
  %element.at = getelementptr ptr, ptr %elements, i64 %i
  %element.object = load ptr, ptr %element.at
  %child.next = call ptr @take(ptr %child, ptr %element.object)
  %child.wrong = icmp eq ptr %child.next, null
  br i1 %child.wrong, label %no, label %element.taken
element.taken:
  %i.next = add i64 %i, 1
  br label %element
sequence.done:
  ret ptr %child

dictionary:
  %position = alloca i64
  %key = alloca ptr
  %value = alloca ptr
  %is.dict = icmp eq ptr %type, @dict_type
  br i1 %is.dict, label %entries, label %no
entries:
  store i64 0, ptr %position
  %entries.found = call i64 @PyDict_Size(ptr %object)
  %entries.want = ptrtoint ptr %w1 to i64
  %same.entries = icmp eq i64 %entries.found, %entries.want
  br i1 %same.entries, label %pair, label %no
pair:
  %p = phi i64 [ 0, %entries ], [ %p.next, %pair.taken ]
  %pair.node = phi ptr [ %w2.at, %entries ], [ %pair.next, %pair.taken ]
  %pairs.left = icmp slt i64 %p, %entries.want
  br i1 %pairs.left, label %pair.read, label %dictionary.done
pair.read:
  %there = call i32 @PyDict_Next(ptr %object, ptr %position, ptr %key, ptr %value)
  %key.found = load ptr, ptr %key
  %key.want = load ptr, ptr %pair.node
  %same.key = icmp eq ptr %key.found, %key.want
  br i1 %same.key, label %pair.take, label %no
pair.take:
  %pair.child = getelementptr i64, ptr %pair.node, i64 1
  %pair.object = load ptr, ptr %value
  %pair.next = call ptr @take(ptr %pair.child, ptr %pair.object)
  %pair.wrong = icmp eq ptr %pair.next, null
  br i1 %pair.wrong, label %no, label %pair.taken
pair.taken:
  %p.next = add i64 %p, 1
  br label %pair
dictionary.done:
  ret ptr %pair.node

constant:
  %same.object = icmp eq ptr %object, %w1
  br i1 %same.object, label %constant.done, label %no
constant.done:
  ret ptr %w2.at

number:
  %cell = load ptr, ptr %w2.at
  %same.type = icmp eq ptr %type, %w1
  br i1 %same.type, label %store, label %no
store:
  switch i64 %kind, label %scalar [ i64 4, label %double
                                    i64 5, label %float
                                    i64 6, label %integer
                                    i64 7, label %integer
                                    i64 8, label %boolean ]
double:
  %double.value = load double, ptr %payload
  store double %double.value, ptr %cell
  br label %number.done
float:
  %wide.value = load double, ptr %payload
  %float.value = fptrunc double %wide.value to float
  store float %float.value, ptr %cell
  br label %number.done
integer:
  %overflow = alloca i32
  %integer.value = call i64 @PyLong_AsLongLongAndOverflow(ptr %object, ptr %overflow)
  %too.large = load i32, ptr %overflow
  %fits = icmp eq i32 %too.large, 0
  br i1 %fits, label %integer.kind, label %no
integer.kind:
  %is.integer = icmp eq i64 %kind, 6
  br i1 %is.integer, label %integer.store, label %integer.convert
integer.store:
  store i64 %integer.value, ptr %cell
  br label %number.done
integer.convert:
  %converted = sitofp i64 %integer.value to double
  store double %converted, ptr %cell
  br label %number.done
boolean:
  %is.true = icmp eq ptr %object, @true_object
  %boolean.value = zext i1 %is.true to i8
  store i8 %boolean.value, ptr %cell
  br label %number.done
scalar:
  %bytes = load i64, ptr %w3.at
  call void @llvm.memcpy.p0.p0.i64(ptr %cell, ptr %payload, i64 %bytes, i1 false)
  br label %number.done
number.done:
  ret ptr %w4.at
no:
  ret ptr null
}

; Whether a leaf's memory lies apart from that of all others among the first `count`.
define internal i1 @is_alone(ptr %leaves, i64 %number, i64 %count) alwaysinline {
entry:
  %begin.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 1
  %begin = load ptr, ptr %begin.at
  %end.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 2
  %end = load ptr, ptr %end.at
  br label %other
other:
  %j = phi i64 [ 0, %entry ], [ %j.next, %good ]
  %left = icmp slt i64 %j, %count
  br i1 %left, label %test, label %yes
test:
  %other.begin.at = getelementptr %Leaf, ptr %leaves, i64 %j, i32 1
  %other.begin = load ptr, ptr %other.begin.at
  %other.end.at = getelementptr %Leaf, ptr %leaves, i64 %j, i32 2
  %other.end = load ptr, ptr %other.end.at
  %before = icmp ule ptr %end, %other.begin
  %behind = icmp uge ptr %begin, %other.end
  %apart = or i1 %before, %behind
  %itself = icmp eq i64 %j, %number
  %ok = or i1 %apart, %itself
  br i1 %ok, label %good, label %no
good:
  %j.next = add i64 %j, 1
  br label %other
yes:
  ret i1 true
no:
  ret i1 false
}

; Objects for the results: 0: a new array; 1: none yet, its number comes from a cell; 2: a donated array; 3: a view of
; one; 4: what a Python function gives. False with an exception where there is no memory.
define internal i1 @make_results(ptr %results, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %kept ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %result, label %yes
result:
  %number = add i64 %inputs, %k
  %leaf = getelementptr %Leaf, ptr %leaves, i64 %number
  %object.at = getelementptr %Leaf, ptr %leaf, i32 0, i32 3
  %kind.at = getelementptr %Result, ptr %results, i64 %k
  %descr.at = getelementptr %Result, ptr %results, i64 %k, i32 1
  %rank.at = getelementptr %Result, ptr %results, i64 %k, i32 2
  %dims.at = getelementptr %Result, ptr %results, i64 %k, i32 3
  %strides.at = getelementptr %Result, ptr %results, i64 %k, i32 4
  %memory.at = getelementptr %Result, ptr %results, i64 %k, i32 5
  %kind = load i64, ptr %kind.at
  %descr = load ptr, ptr %descr.at
  %rank = load i32, ptr %rank.at
  %dims = load ptr, ptr %dims.at
  %strides = load ptr, ptr %strides.at
  %memory = load ptr, ptr %memory.at
  switch i64 %kind, label %new [ i64 1, label %cell
                                 i64 2, label %same
                                 i64 3, label %view
                                 i64 4, label %ask ]
ask:
  %asked = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %memory, ptr null)
  %no.asked = icmp eq ptr %asked, null
  br i1 %no.asked, label %no, label %made
new:
  call void @Py_IncRef(ptr %descr)
  %array = call ptr @PyArray_NewFromDescr(ptr @array_type, ptr %descr, i32 %rank, ptr %dims, ptr %strides, ptr null,
                                          i32 0, ptr null)
  %no.array = icmp eq ptr %array, null
  br i1 %no.array, label %no, label %made
made:
  %owned = phi ptr [ %asked, %ask ], [ %array, %new ]
  %data.at = getelementptr i8, ptr %owned, i64 16
  %data = load ptr, ptr %data.at
  br label %keep
cell:
  br label %keep
same:
  %donor.at = getelementptr %Leaf, ptr %memory, i32 0, i32 3
  %donor = load ptr, ptr %donor.at
  %donor.data = load ptr, ptr %memory
  call void @Py_IncRef(ptr %donor)
  br label %keep
view:
  %base.at = getelementptr %Leaf, ptr %memory, i32 0, i32 3
  %base = load ptr, ptr %base.at
  %base.data = load ptr, ptr %memory
  call void @Py_IncRef(ptr %descr)
  %seen = call ptr @PyArray_NewFromDescr(ptr @array_type, ptr %descr, i32 %rank, ptr %dims, ptr %strides,
                                         ptr %base.data, i32 1024, ptr null)
  %no.view = icmp eq ptr %seen, null
  br i1 %no.view, label %no, label %based
based:
  call void @Py_IncRef(ptr %base)
  %status = call i32 @PyArray_SetBaseObject(ptr %seen, ptr %base)
  br label %keep
keep:
  %object = phi ptr [ %owned, %made ], [ null, %cell ], [ %donor, %same ], [ %seen, %based ]
  %address = phi ptr [ %data, %made ], [ %memory, %cell ], [ %donor.data, %same ], [ %base.data, %based ]
  store ptr %object, ptr %object.at
  store ptr %address, ptr %leaf
  br label %kept
kept:
  %k.next = add i64 %k, 1
  br label %next
yes:
  ret i1 true
no:
  call void @drop_results(ptr %leaves, i64 %inputs, i64 %k)
  br label %clear
clear:
  %c = phi i64 [ 0, %no ], [ %c.next, %clear.one ]
  %c.left = icmp slt i64 %c, %count
  br i1 %c.left, label %clear.one, label %cleared
clear.one:
  %c.number = add i64 %inputs, %c
  %c.object = getelementptr %Leaf, ptr %leaves, i64 %c.number, i32 3
  store ptr null, ptr %c.object
  %c.next = add i64 %c, 1
  br label %clear
cleared:
  ret i1 false
}

define internal void @drop_results(ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %dropped ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %test, label %done
test:
  %number = add i64 %inputs, %k
  %object.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 3
  %object = load ptr, ptr %object.at
  %empty = icmp eq ptr %object, null
  br i1 %empty, label %dropped, label %drop
drop:
  call void @Py_DecRef(ptr %object)
  br label %dropped
dropped:
  %k.next = add i64 %k, 1
  br label %next
done:
  ret void
}

; Fill the tables of places and take the steps. False with an exception where a check fails.
define internal i1 @run_steps(ptr %e) {
entry:
  %fills.at = getelementptr %Entry, ptr %e, i32 0, i32 12
  %fills = load i64, ptr %fills.at
  %fill.list.at = getelementptr %Entry, ptr %e, i32 0, i32 13
  %fill.list = load ptr, ptr %fill.list.at
  %steps.at = getelementptr %Entry, ptr %e, i32 0, i32 14
  %steps = load i64, ptr %steps.at
  %step.list.at = getelementptr %Entry, ptr %e, i32 0, i32 15
  %step.list = load ptr, ptr %step.list.at
  br label %fill
fill:
  %f = phi i64 [ 0, %entry ], [ %f.next, %fill.one ]
  %fills.left = icmp slt i64 %f, %fills
  br i1 %fills.left, label %fill.one, label %begin
fill.one:
  %slot.at = getelementptr { ptr, ptr }, ptr %fill.list, i64 %f
  %leaf.at = getelementptr { ptr, ptr }, ptr %fill.list, i64 %f, i32 1
  %slot = load ptr, ptr %slot.at
  %leaf = load ptr, ptr %leaf.at
  %data = load ptr, ptr %leaf
  store ptr %data, ptr %slot
  %f.next = add i64 %f, 1
  br label %fill
begin:
  %shared.at = getelementptr %Entry, ptr %e, i32 0, i32 19
  %shared = load i64, ptr %shared.at
  %alone = icmp eq i64 %shared, 0
  br i1 %alone, label %step, label %leave
leave:
  %saved = call ptr @PyEval_SaveThread()
  br label %step
step:
  %s = phi i64 [ 0, %begin ], [ 0, %leave ], [ %s.next, %step.taken ]
  %state = phi ptr [ null, %begin ], [ %saved, %leave ], [ %state, %step.taken ]
  %steps.left = icmp slt i64 %s, %steps
  br i1 %steps.left, label %step.one, label %yes
step.one:
  %kind.at = getelementptr %Step, ptr %step.list, i64 %s
  %a.at = getelementptr %Step, ptr %step.list, i64 %s, i32 1
  %b.at = getelementptr %Step, ptr %step.list, i64 %s, i32 2
  %c.at = getelementptr %Step, ptr %step.list, i64 %s, i32 3
  %kind = load i64, ptr %kind.at
  %a = load ptr, ptr %a.at
  %b = load ptr, ptr %b.at
  %c = load ptr, ptr %c.at
  %is.run = icmp eq i64 %kind, 0
  br i1 %is.run, label %run, label %check
run:
  call void %a(ptr %b, ptr %c)
  br label %step.taken
check:
  %flag = load i8, ptr %a
  %good = icmp eq i8 %flag, 0
  br i1 %good, label %step.taken, label %bad
step.taken:
  %s.next = add i64 %s, 1
  br label %step
bad:
  call void @return_to(ptr %state)
  call void @PyErr_SetObject(ptr %b, ptr %c)
  ret i1 false
yes:
  call void @return_to(ptr %state)
  ret i1 true
}

define internal void @return_to(ptr %state) alwaysinline {
entry:
  %stayed = icmp eq ptr %state, null
  br i1 %stayed, label %done, label %return
return:
  call void @PyEval_RestoreThread(ptr %state)
  br label %done
done:
  ret void
}

; Results that a failed check must not show go to memory of the entry's own first; a leaf keeps where they belong.
define internal void @use_shadows(ptr %shadows, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %one ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %one, label %done
one:
  %number = add i64 %inputs, %k
  %leaf = getelementptr %Leaf, ptr %leaves, i64 %number
  %shadow.at = getelementptr { ptr, i64 }, ptr %shadows, i64 %k
  %shadow = load ptr, ptr %shadow.at
  store ptr %shadow, ptr %leaf
  %k.next = add i64 %k, 1
  br label %next
done:
  ret void
}

define internal void @copy_shadows(ptr %shadows, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %one ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %one, label %done
one:
  %number = add i64 %inputs, %k
  %target.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 1
  %target = load ptr, ptr %target.at
  %shadow.at = getelementptr { ptr, i64 }, ptr %shadows, i64 %k
  %shadow = load ptr, ptr %shadow.at
  %bytes.at = getelementptr { ptr, i64 }, ptr %shadows, i64 %k, i32 1
  %bytes = load i64, ptr %bytes.at
  call void @llvm.memcpy.p0.p0.i64(ptr %target, ptr %shadow, i64 %bytes, i1 false)
  %k.next = add i64 %k, 1
  br label %next
done:
  ret void
}

; The call's result: the one array or number, a tuple of them, or what a function makes of the tuple.
define internal ptr @pack_results(ptr %e, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  %results.at = getelementptr %Entry, ptr %e, i32 0, i32 9
  %results = load ptr, ptr %results.at
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %kept ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %result, label %whole
result:
  %number = add i64 %inputs, %k
  %leaf = getelementptr %Leaf, ptr %leaves, i64 %number
  %kind.at = getelementptr %Result, ptr %results, i64 %k
  %kind = load i64, ptr %kind.at
  %is.cell = icmp eq i64 %kind, 1
  br i1 %is.cell, label %cell, label %kept
cell:
  %descr.at = getelementptr %Result, ptr %results, i64 %k, i32 1
  %descr = load ptr, ptr %descr.at
  %cell.data = load ptr, ptr %leaf
  %scalar = call ptr @PyArray_Scalar(ptr %cell.data, ptr %descr, ptr null)
  %scalar.at = getelementptr %Leaf, ptr %leaf, i32 0, i32 3
  store ptr %scalar, ptr %scalar.at
  %no.scalar = icmp eq ptr %scalar, null
  br i1 %no.scalar, label %failed, label %kept
kept:
  %k.next = add i64 %k, 1
  br label %next
whole:
  %form.at = getelementptr %Entry, ptr %e, i32 0, i32 16
  %form = load ptr, ptr %form.at
  %is.single = icmp eq ptr %form, null
  br i1 %is.single, label %single, label %several
single:
  %only.at = getelementptr %Leaf, ptr %leaves, i64 %inputs, i32 3
  %only = load ptr, ptr %only.at
  ret ptr %only
several:
  %own = alloca ptr, i64 %count
  br label %copy
copy:
  %c = phi i64 [ 0, %several ], [ %c.next, %copy.one ]
  %copies.left = icmp slt i64 %c, %count
  br i1 %copies.left, label %copy.one, label %copied
copy.one:
  %c.number = add i64 %inputs, %c
  %c.object.at = getelementptr %Leaf, ptr %leaves, i64 %c.number, i32 3
  %c.object = load ptr, ptr %c.object.at
  %own.at = getelementptr ptr, ptr %own, i64 %c
  store ptr %c.object, ptr %own.at
  %c.next = add i64 %c, 1
  br label %copy
copied:
  %tuple = call ptr @PyTuple_New(i64 %count)
  %no.tuple = icmp eq ptr %tuple, null
  br i1 %no.tuple, label %failed, label %fill
fill:
  %items = getelementptr i8, ptr %tuple, i64 TUPLE_ITEMS
  %bytes = shl i64 %count, 3
  call void @llvm.memcpy.p0.p0.i64(ptr %items, ptr %own, i64 %bytes, i1 false)
  %is.tuple = icmp eq ptr %form, inttoptr (i64 1 to ptr)
  br i1 %is.tuple, label %plain, label %built
plain:
  ret ptr %tuple
built:
  %made = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %form, ptr %tuple, ptr null)
  call void @Py_DecRef(ptr %tuple)
  ret ptr %made
failed:
  ret ptr null
}
"""


TEXT = _TEXT.replace("TUPLE_ITEMS", str(tuple.__basicsize__))
"""Exports `loopweld_call`, the vectorcall of all compiled functions."""
